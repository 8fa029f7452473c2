#include "audit/export_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/json_text.h"
#include "vecload/source.h"

namespace vecload::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".parquet";
constexpr std::string_view kUnfinished = ".part";
constexpr std::string_view kPart = "part-";
// In the journal, before the names of metadata keys.
constexpr std::string_view kColumn = "column:";
constexpr std::string_view kWithout = "without:";
constexpr uint64_t kFormat = 1;
// More of either in a journal are none that an export wrote.
constexpr uint64_t kSegmentsMax = 1 << 20;
constexpr uint64_t kFilesMax = 1 << 20;

Status Failed(const fs::path& path, const char* what, const std::error_code& error) {
  return Status::Io(fmt::format("{} {}: {}", path.string(), what, error.message()));
}

// Makes the names in a folder survive a power cut. Some file systems cannot, and then keep them
// without it.
void SyncFolder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)fsync(descriptor);
  close(descriptor);
}

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

// "part-00000.parquet", which an export writes and nothing else does.
bool IsPartName(std::string_view name) {
  if (!name.starts_with(kPart) || !name.ends_with(kExtension)) return false;
  name.remove_prefix(kPart.size());
  name.remove_suffix(kExtension.size());
  return name.size() >= 5 && name.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::vector<fs::path>> EntriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  if (error) return Failed(folder, "cannot be listed", error);
  std::ranges::sort(entries);
  return entries;
}

Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directory(folder, error);
  return error ? Failed(folder, "cannot be made", error) : Status::Ok();
}

Status Remove(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return error ? Failed(path, "cannot be removed", error) : Status::Ok();
}

Status Rename(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return Status::Ok();
  return Status::Io(
      fmt::format("{} cannot be renamed to {}: {}", from.string(), to.string(), error.message()));
}

Result<fs::path> TargetOf(const std::string& path) {
  if (IsOnS3(path)) {
    return Status::InvalidArgument(path +
                                   ": an export is written to this machine; write it to a folder "
                                   "here and copy that (aws s3 cp --recursive)");
  }
  fs::path target = fs::path(path).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  const fs::path name = target.filename();
  if (name.empty() || name == "." || name == "..") {
    return Status::InvalidArgument("\"" + path +
                                   "\" is no name for an export; write OUT.parquet, or OUT for a "
                                   "folder of files");
  }
  if (!target.has_parent_path()) target = fs::path(".") / target;
  std::error_code ignored;
  if (!fs::is_directory(target.parent_path(), ignored)) {
    return Status::NotFound(target.parent_path().string() +
                            " is no folder; make it first (mkdir -p)");
  }
  return target;
}

}  // namespace

ExportFolder::ExportFolder(const ExportOptions& options, uint32_t segments)
    : overwrite_(options.overwrite),
      restart_(options.restart),
      file_bytes_max_(options.file_bytes_max),
      segments_(segments) {}

Result<std::unique_ptr<ExportFolder>> ExportFolder::Open(const ExportOptions& options,
                                                         const ExportIdentity& identity,
                                                         uint32_t segments) {
  std::unique_ptr<ExportFolder> folder(new ExportFolder(options, segments));
  VECLOAD_ASSIGN_OR_RETURN(folder->target_, TargetOf(options.path));
  folder->is_one_file_ = folder->target_.extension() == kExtension;
  folder->folder_ = folder->target_.string() + std::string(kUnfinished);
  folder->data_ = folder->folder_ / "_data";
  folder->old_ = folder->folder_ / "_old";
  VECLOAD_RETURN_IF_ERROR(folder->OpenJournal(identity));
  return folder;
}

Status ExportFolder::OpenJournal(const ExportIdentity& identity) {
  const fs::path path = folder_ / "_journal";
  if (!Exists(path)) {
    VECLOAD_RETURN_IF_ERROR(CheckTarget());
    std::error_code ignored;
    if (Exists(folder_) && !fs::is_empty(folder_, ignored)) {
      return Status::Conflict(folder_.string() +
                              " is where an unfinished export would be, and is none; move it away");
    }
    VECLOAD_RETURN_IF_ERROR(MakeFolder(folder_));
    SyncFolder(target_.parent_path());
  }
  VECLOAD_ASSIGN_OR_RETURN(journal_, ExportJournal::Open(path.string(), [this](const auto& entry) {
                             return Take(entry);
                           }));
  if (restart_) VECLOAD_RETURN_IF_ERROR(StartAgain());
  if (found_.empty()) return Begin(identity);
  VECLOAD_RETURN_IF_ERROR(CheckIdentity(identity));
  is_resumed_ = true;
  // Where all was moved into place already, the target is our own.
  return is_whole_ && !Exists(Made()) ? Status::Ok() : CheckTarget();
}

Status ExportFolder::Begin(const ExportIdentity& identity) {
  VECLOAD_RETURN_IF_ERROR(CheckTarget());
  VECLOAD_RETURN_IF_ERROR(MakeFolder(data_));
  SyncFolder(folder_);
  begun_ = static_cast<int64_t>(std::time(nullptr));
  JsonWriter json;
  json.BeginObject().Key("kind").String("job").Key("format").Uint(kFormat);
  json.Key("begun").Int(begun_);
  for (const auto& [name, value] : identity) json.Key(name).String(value);
  return journal_->Append(json.EndObject().text());
}

Status ExportFolder::StartAgain() {
  VECLOAD_RETURN_IF_ERROR(journal_->Clear());
  // What was to be replaced, and is so no more.
  if (Exists(old_) && !Exists(target_)) VECLOAD_RETURN_IF_ERROR(Rename(old_, target_));
  VECLOAD_RETURN_IF_ERROR(Remove(data_));
  found_.clear();
  columns_.reset();
  is_whole_ = false;
  segments_.assign(segments_.size(), {});
  file_sizes_.clear();
  bytes_ = 0;
  return Status::Ok();
}

// An empty folder that the user has made for the files.
bool ExportFolder::IsFreeFolder() const {
  std::error_code error;
  return !is_one_file_ && fs::is_directory(target_, error) && fs::is_empty(target_, error);
}

Status ExportFolder::CheckTarget() const {
  std::error_code ignored;
  if (!Exists(target_) || IsFreeFolder()) return Status::Ok();
  if (!overwrite_) {
    return Status::Conflict(target_.string() + " exists; write to another name, or replace it " +
                            "with --overwrite");
  }
  const bool is_folder = fs::is_directory(target_, ignored);
  if (is_folder == is_one_file_) {
    return Status::Conflict(fmt::format("{} is {}: --overwrite does not replace that",
                                        target_.string(), is_folder ? "a folder" : "no folder"));
  }
  if (!is_folder) return Status::Ok();
  // What a slip of the hand names must not be lost.
  VECLOAD_ASSIGN_OR_RETURN(const std::vector<fs::path> entries, EntriesOf(target_));
  for (const fs::path& entry : entries) {
    if (IsPartName(entry.filename().string())) continue;
    return Status::Conflict(
        fmt::format("{} holds {}, which no export has written: --overwrite does not remove that",
                    target_.string(), entry.filename().string()));
  }
  return Status::Ok();
}

Status ExportFolder::CheckIdentity(const ExportIdentity& identity) const {
  for (const auto& [name, value] : identity) {
    const auto same = [&, &name = name](const auto& pair) { return pair.first == name; };
    const auto found = std::ranges::find_if(found_, same);
    const std::string there = found == found_.end() ? "" : found->second;
    if (there == value) continue;
    return Status::Conflict(fmt::format(
        "{} is an unfinished export of something else ({} there: \"{}\", now: \"{}\"); write to "
        "another name, or drop it with --restart",
        folder_.string(), name, there, value));
  }
  return Status::Ok();
}

Status ExportFolder::Take(const ExportJournal::Entry& entry) {
  const std::string kind = TextOf(entry, "kind");
  if (kind == "job") {
    if (NumberOf(entry, "format") != kFormat && !restart_) {
      return Status::Conflict(folder_.string() +
                              " was begun by another version of vecload; finish it with that, or "
                              "drop it with --restart");
    }
    begun_ = static_cast<int64_t>(NumberOf(entry, "begun"));
    for (const auto& [name, value] : entry) found_.emplace_back(name, TextOf(entry, name));
  } else if (kind == "columns") {
    return TakeColumns(entry);
  } else if (kind == "rows") {
    return TakeRows(entry);
  } else if (kind == "again") {
    const uint64_t segment = NumberOf(entry, "segment");
    if (segment < segments_.size()) segments_[segment] = {};
  } else if (kind == "whole") {
    is_whole_ = true;
  }
  return Status::Ok();
}

Status ExportFolder::TakeColumns(const ExportJournal::Entry& entry) {
  ExportColumns columns;
  columns.has_json = NumberOf(entry, "json") != 0;
  for (const auto& [name, value] : entry) {
    if (name.starts_with(kColumn)) {
      const auto type = static_cast<source::MetadataType>(NumberOf(entry, name));
      columns.typed.push_back({name.substr(kColumn.size()), type});
    } else if (name.starts_with(kWithout)) {
      columns.keys_without_column.emplace_back(name.substr(kWithout.size()), TextOf(entry, name));
    }
  }
  columns_ = std::move(columns);
  return Status::Ok();
}

Status ExportFolder::TakeRows(const ExportJournal::Entry& entry) {
  const uint64_t number = NumberOf(entry, "segment");
  const uint64_t file = NumberOf(entry, "file");
  if (number >= kSegmentsMax || file >= kFilesMax) {
    return Status::Corrupt(folder_.string() + ": its journal is none; begin again with --restart");
  }
  if (number >= segments_.size()) segments_.resize(number + 1);
  Segment& segment = segments_[number];
  segment.next_token = TextOf(entry, "next");
  segment.is_done = segment.next_token.empty();
  const source::RowGroupPlace place{.begin = NumberOf(entry, "begin"),
                                    .end = NumberOf(entry, "end"),
                                    .rows = NumberOf(entry, "rows")};
  if (place.rows == 0) return Status::Ok();
  segment.rows += place.rows;
  segment.row_groups.emplace_back(static_cast<uint32_t>(file), place);
  if (file >= file_sizes_.size()) file_sizes_.resize(file + 1);
  file_sizes_[file] = std::max(file_sizes_[file], place.end);
  bytes_ += place.end - place.begin;
  return Status::Ok();
}

uint64_t ExportFolder::rows() const {
  uint64_t rows = 0;
  for (const Segment& segment : segments_) rows += segment.rows;
  return rows;
}

uint64_t ExportFolder::row_groups() const {
  uint64_t row_groups = 0;
  for (const Segment& segment : segments_) row_groups += segment.row_groups.size();
  return row_groups;
}

Status ExportFolder::SetColumns(ExportColumns columns) {
  JsonWriter json;
  json.BeginObject().Key("kind").String("columns").Key("json").Uint(columns.has_json ? 1 : 0);
  for (const source::TypedKey& key : columns.typed) {
    json.Key(std::string(kColumn) + key.name).Uint(static_cast<uint64_t>(key.type));
  }
  for (const auto& [name, why] : columns.keys_without_column) {
    json.Key(std::string(kWithout) + name).String(why);
  }
  VECLOAD_RETURN_IF_ERROR(journal_->Append(json.EndObject().text()));
  columns_ = std::move(columns);
  return Status::Ok();
}

std::string ExportFolder::PathOfFile(uint32_t file) const {
  return (data_ / fmt::format("{}{:05}{}", kPart, file, kExtension)).string();
}

fs::path ExportFolder::Made() const { return is_one_file_ ? fs::path(PathOfFile(0)) : data_; }

Result<source::VectorFile*> ExportFolder::CurrentFile() {
  const bool is_full =
      !is_one_file_ && !file_sizes_.empty() && file_sizes_.back() >= file_bytes_max_;
  if (file_ != nullptr && !is_full) return file_.get();
  if (file_sizes_.empty() || is_full) file_sizes_.push_back(0);
  file_.reset();
  const auto number = static_cast<uint32_t>(file_sizes_.size() - 1);
  VECLOAD_ASSIGN_OR_RETURN(file_,
                           source::VectorFile::Open(PathOfFile(number), plan_, file_sizes_.back()));
  SyncFolder(data_);
  return file_.get();
}

Status ExportFolder::Add(uint32_t segment, const source::VectorRows& rows,
                         const std::string& next_token) {
  const std::lock_guard lock(mutex_);
  JsonWriter json;
  json.BeginObject().Key("kind").String("rows").Key("segment").Uint(segment);
  source::RowGroupPlace place;
  if (rows.rows() > 0) {
    VECLOAD_ASSIGN_OR_RETURN(source::VectorFile* const file, CurrentFile());
    VECLOAD_ASSIGN_OR_RETURN(place, file->Append(rows));
    VECLOAD_RETURN_IF_ERROR(file->Sync());
    file_sizes_.back() = place.end;
    bytes_ += place.end - place.begin;
    json.Key("file").Uint(file_sizes_.size() - 1).Key("rows").Uint(place.rows);
    json.Key("begin").Uint(place.begin).Key("end").Uint(place.end);
  }
  json.Key("next").String(next_token);
  VECLOAD_RETURN_IF_ERROR(journal_->Append(json.EndObject().text()));
  Segment& at = segments_[segment];
  at.next_token = next_token;
  at.is_done = next_token.empty();
  if (place.rows > 0) {
    at.rows += place.rows;
    at.row_groups.emplace_back(static_cast<uint32_t>(file_sizes_.size() - 1), place);
  }
  return Status::Ok();
}

Status ExportFolder::Restart(uint32_t segment) {
  const std::lock_guard lock(mutex_);
  JsonWriter json;
  json.BeginObject().Key("kind").String("again").Key("segment").Uint(segment).EndObject();
  VECLOAD_RETURN_IF_ERROR(journal_->Append(json.text()));
  segments_[segment] = {};
  return Status::Ok();
}

Status ExportFolder::FinishFiles() {
  file_.reset();
  std::vector<std::vector<source::RowGroupPlace>> places(std::max<size_t>(file_sizes_.size(), 1));
  file_sizes_.resize(places.size());
  for (const Segment& segment : segments_) {
    for (const auto& [file, place] : segment.row_groups) places[file].push_back(place);
  }
  const bool is_empty = rows() == 0;
  std::vector<std::string> kept;
  for (uint32_t file = 0; file < places.size(); ++file) {
    // Of an index without vectors there is one file without rows; else none is without.
    if (places[file].empty() && (!is_empty || file > 0)) continue;
    std::ranges::sort(places[file], {}, &source::RowGroupPlace::begin);
    kept.push_back(PathOfFile(file));
    VECLOAD_ASSIGN_OR_RETURN(const auto opened,
                             source::VectorFile::Open(kept.back(), plan_, file_sizes_[file]));
    VECLOAD_RETURN_IF_ERROR(opened->Finish(places[file]));
  }
  // What a run has begun to write that was killed, and files of which nothing counts.
  VECLOAD_ASSIGN_OR_RETURN(const std::vector<fs::path> entries, EntriesOf(data_));
  for (const fs::path& entry : entries) {
    if (std::ranges::find(kept, entry.string()) == kept.end()) {
      VECLOAD_RETURN_IF_ERROR(Remove(entry));
    }
  }
  SyncFolder(data_);
  return Status::Ok();
}

// Where this was done and the data not moved yet, the target is absent, and it is done again
// without effect.
Status ExportFolder::MoveOldAway() {
  if (!Exists(target_) || IsFreeFolder()) return Status::Ok();
  VECLOAD_RETURN_IF_ERROR(Remove(old_));
  return Rename(target_, old_);
}

Status ExportFolder::MoveIntoPlace() {
  const fs::path made = Made();
  if (Exists(made)) {
    // Somebody may have come first.
    VECLOAD_RETURN_IF_ERROR(CheckTarget());
    // A file is replaced at one stroke. A folder cannot be: for a moment there is none.
    if (!is_one_file_) VECLOAD_RETURN_IF_ERROR(MoveOldAway());
    VECLOAD_RETURN_IF_ERROR(Rename(made, target_));
    SyncFolder(target_.parent_path());
  } else if (!Exists(target_)) {
    return Status::Corrupt(
        fmt::format("{}: the files that were written are gone; begin again with "
                    "--restart",
                    data_.string()));
  }
  return Status::Ok();
}

std::vector<std::string> ExportFolder::FinalFiles() const {
  if (is_one_file_) return {target_.lexically_normal().string()};
  std::vector<std::string> files;
  const auto entries = EntriesOf(target_);
  if (!entries.ok()) return files;
  for (const fs::path& entry : *entries) files.push_back(entry.lexically_normal().string());
  return files;
}

Result<std::vector<std::string>> ExportFolder::Complete() {
  const std::lock_guard lock(mutex_);
  if (!is_whole_) {
    VECLOAD_RETURN_IF_ERROR(FinishFiles());
    VECLOAD_RETURN_IF_ERROR(journal_->Append(R"({"kind":"whole"})"));
    is_whole_ = true;
  }
  VECLOAD_RETURN_IF_ERROR(MoveIntoPlace());
  // The data is in its place: what cannot be removed now is no failure of the export.
  // The journal goes last: it says what the rest is.
  if (Remove(data_).ok() && Remove(old_).ok()) (void)Remove(folder_).ok();
  SyncFolder(target_.parent_path());
  return FinalFiles();
}

}  // namespace vecload::audit
