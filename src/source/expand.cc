#include "source/expand.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <arrow/filesystem/filesystem.h>

#include "source/arrow_status.h"
#include "source/glob.h"
#include "vecload/source.h"

namespace vecload::source {
namespace {

using arrow::fs::FileInfo;
using arrow::fs::FileType;

std::string Join(const std::string& folder, std::string_view name) {
  if (folder.empty() || folder.ends_with('/')) return folder + std::string(name);
  return folder + "/" + std::string(name);
}

// One name per file and folder, whichever way a path leads there.
std::string Identity(const Place& place, const std::string& path) {
  if (place.is_s3) return place.Uri(path);
  std::error_code error;
  const auto canonical = std::filesystem::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

// As Identity, of many local files: the folder of the file before is not asked for again, which
// takes a call of the system for each of its path's names.
class FileIdentities {
 public:
  std::string Of(const std::string& path) {
    std::error_code error;
    const std::filesystem::path whole(path);
    if (std::filesystem::is_symlink(std::filesystem::symlink_status(whole, error)) || error) {
      return Canonical(whole);
    }
    const std::filesystem::path folder = whole.parent_path();
    if (!known_ || folder != folder_) {
      folder_ = folder;
      canonical_ = Canonical(folder.empty() ? "." : folder);
      known_ = true;
    }
    return Join(canonical_, whole.filename().string());
  }

 private:
  static std::string Canonical(const std::filesystem::path& path) {
    std::error_code error;
    const auto canonical = std::filesystem::weakly_canonical(path, error);
    return error ? path.string() : canonical.string();
  }

  bool known_ = false;
  std::filesystem::path folder_;
  std::string canonical_;
};

// Collects what one location leads to.
class Walk {
 public:
  explicit Walk(const Place& place) : place_(place) {}

  Result<FileInfo> Look(const std::string& path) {
    return FromArrow(place_.filesystem->GetFileInfo(path), place_.Uri(path));
  }

  void Take(const FileInfo& info) {
    files_.push_back({place_.Uri(info.path()), static_cast<uint64_t>(info.size()),
                      info.mtime().time_since_epoch().count()});
  }

  // Everything below a folder. Links may lead in a circle: no folder is entered twice.
  Status TakeFolder(const std::string& path) {
    if (!entered_.insert(Identity(place_, path)).second) return Status::Ok();
    VECLOAD_ASSIGN_OR_RETURN(const auto entries, List(path));
    for (const FileInfo& entry : entries) {
      if (!IsHidden(entry.base_name())) VECLOAD_RETURN_IF_ERROR(TakeFileOrFolder(entry));
    }
    return Status::Ok();
  }

  Status TakeFileOrFolder(const FileInfo& info) {
    if (info.type() == FileType::Directory) return TakeFolder(info.path());
    if (info.type() == FileType::File) Take(info);
    return Status::Ok();
  }

  // Follows the pattern's segments from `at` on, below `folder`.
  Status TakeMatches(const std::string& folder, std::span<const std::string> segments) {
    if (segments.empty()) return Status::Ok();
    const std::string& segment = segments.front();
    const auto rest = segments.subspan(1);
    if (segment == "**") return TakeAnyDepth(folder, rest);
    if (!HasGlob(segment)) {
      const std::string path = Join(folder, segment);
      if (!rest.empty()) return TakeMatches(path, rest);
      VECLOAD_ASSIGN_OR_RETURN(const FileInfo info, Look(path));
      return TakeFileOrFolder(info);
    }
    VECLOAD_ASSIGN_OR_RETURN(const auto entries, List(folder));
    for (const FileInfo& entry : entries) {
      if (!SegmentMatches(segment, entry.base_name())) continue;
      if (rest.empty()) {
        VECLOAD_RETURN_IF_ERROR(TakeFileOrFolder(entry));
      } else if (entry.type() == FileType::Directory) {
        VECLOAD_RETURN_IF_ERROR(TakeMatches(entry.path(), rest));
      }
    }
    return Status::Ok();
  }

  // An S3 prefix that ends within a name: what is in its folder and opens with it.
  Status TakePrefix(const std::string& path) {
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return Status::Ok();
    VECLOAD_ASSIGN_OR_RETURN(const auto entries, List(path.substr(0, slash)));
    for (const FileInfo& entry : entries) {
      if (!entry.path().starts_with(path) || IsHidden(entry.base_name())) continue;
      VECLOAD_RETURN_IF_ERROR(TakeFileOrFolder(entry));
    }
    return Status::Ok();
  }

  std::vector<FoundFile> Finish() {
    std::ranges::sort(files_, {}, &FoundFile::uri);
    return std::move(files_);
  }

 private:
  // `**` stands for no folder at all, or for one and `**` again.
  Status TakeAnyDepth(const std::string& folder, std::span<const std::string> rest) {
    if (rest.empty()) return TakeFolder(folder.empty() ? "." : folder);
    const std::string identity = Identity(place_, folder.empty() ? "." : folder);
    if (!matched_any_depth_.emplace(identity, rest.size()).second) return Status::Ok();
    VECLOAD_RETURN_IF_ERROR(TakeMatches(folder, rest));
    VECLOAD_ASSIGN_OR_RETURN(const auto entries, List(folder));
    for (const FileInfo& entry : entries) {
      if (entry.type() != FileType::Directory || IsHidden(entry.base_name())) continue;
      VECLOAD_RETURN_IF_ERROR(TakeAnyDepth(entry.path(), rest));
    }
    return Status::Ok();
  }

  // What is not there is no failure here: the caller sees that nothing was found.
  Result<std::vector<FileInfo>> List(const std::string& folder) {
    arrow::fs::FileSelector selector;
    selector.base_dir = folder.empty() ? "." : folder;
    selector.allow_not_found = true;
    VECLOAD_ASSIGN_OR_RETURN(
        auto entries, FromArrow(place_.filesystem->GetFileInfo(selector), place_.Uri(folder)));
    if (folder.empty()) {
      for (FileInfo& entry : entries) entry.set_path(entry.base_name());
    }
    return entries;
  }

  const Place& place_;
  std::vector<FoundFile> files_;
  std::set<std::string> entered_;
  // Folders at which a `**` stood, with the number of segments after it.
  std::set<std::pair<std::string, size_t>> matched_any_depth_;
};

std::vector<std::string> Segments(std::string_view pattern) {
  std::vector<std::string> segments;
  while (!pattern.empty()) {
    const size_t slash = pattern.find('/');
    const std::string_view segment = pattern.substr(0, slash);
    if (!segment.empty()) segments.emplace_back(segment);
    if (slash == std::string_view::npos) break;
    pattern.remove_prefix(slash + 1);
  }
  return segments;
}

Result<std::vector<FoundFile>> ExpandOne(const std::string& location, Storage* storage) {
  if (location.empty()) return Status::InvalidArgument("a source is an empty text");
  VECLOAD_ASSIGN_OR_RETURN(const Place place, storage->Locate(location));
  Walk walk(place);
  // "folder/" is the folder; "/" stays.
  std::string path = place.path;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  VECLOAD_ASSIGN_OR_RETURN(const FileInfo info, walk.Look(path));
  if (info.type() == FileType::Unknown) {
    return Status::InvalidArgument(location + ": neither a file nor a directory");
  }
  if (info.type() == FileType::File) {
    walk.Take(info);
  } else if (info.type() == FileType::Directory) {
    VECLOAD_RETURN_IF_ERROR(walk.TakeFolder(path));
  } else if (HasGlob(path)) {
    std::vector<std::string> segments = Segments(path);
    // The bucket is no pattern, and neither is the root.
    const bool absolute = path.starts_with('/');
    const std::string root = place.is_s3 ? segments.front() : absolute ? "/" : "";
    VECLOAD_RETURN_IF_ERROR(
        walk.TakeMatches(root, std::span(segments).subspan(place.is_s3 ? 1 : 0)));
  } else if (place.is_s3 && !place.path.ends_with('/')) {
    VECLOAD_RETURN_IF_ERROR(walk.TakePrefix(path));
  }
  std::vector<FoundFile> files = walk.Finish();
  if (files.empty()) {
    const char* problem = info.type() == FileType::Directory ? ": the directory has no data files"
                          : HasGlob(path)                    ? ": no file matches"
                                                             : ": no such file";
    return Status::NotFound(location + problem);
  }
  return files;
}

}  // namespace

Result<std::vector<FoundFile>> Expand(std::span<const std::string> locations, Storage* storage) {
  std::vector<FoundFile> files;
  std::set<std::string> known;
  FileIdentities identities;
  for (const std::string& location : locations) {
    VECLOAD_ASSIGN_OR_RETURN(auto found,
                             Guard(location, [&] { return ExpandOne(location, storage); }));
    for (FoundFile& file : found) {
      std::string identity = IsOnS3(file.uri) ? file.uri : identities.Of(file.uri);
      if (known.insert(std::move(identity)).second) files.push_back(std::move(file));
    }
  }
  if (files.empty()) return Status::InvalidArgument("no source was given");
  return files;
}

}  // namespace vecload::source
