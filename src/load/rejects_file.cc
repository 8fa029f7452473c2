#include "load/rejects_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/json_text.h"

namespace vecload::load {
namespace {

std::string Base64(std::string_view bytes) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      const bool padding = i + j > bytes.size();
      text.push_back(padding ? '=' : kLetters[group >> (18 - 6 * j) & 63]);
    }
  }
  return text;
}

}  // namespace

std::string RejectLine(const Reject& reject, const SourceFile& file) {
  JsonWriter json;
  json.BeginObject();
  json.Key("file").String(file.uri);
  json.Key("row").Uint(reject.id.row);
  if (!reject.key_json.empty()) {
    json.Key(reject.key_is_base64 ? "key_base64" : "key").Raw(reject.key_json);
  }
  json.Key("rule").String(RejectRuleName(reject.rule));
  json.Key("message").String(reject.message);
  json.EndObject();
  return json.Take() + "\n";
}

void SetRejectKey(std::string_view key, Reject* reject) {
  reject->key_is_base64 = !IsUtf8(key);
  reject->key_json.clear();
  AppendJsonString(reject->key_is_base64 ? Base64(key) : std::string(key), &reject->key_json);
}

Result<std::unique_ptr<RejectsFile>> RejectsFile::Open(const std::string& path,
                                                       uint64_t keep_bytes) {
  if (path.empty()) return std::unique_ptr<RejectsFile>(new RejectsFile(path, -1));
  const int create = keep_bytes == 0 ? O_CREAT | O_TRUNC : 0;
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC | create, 0644);
  if (descriptor < 0) {
    return Status::Io("cannot write rejects to \"" + path + "\": " + std::strerror(errno) +
                      (keep_bytes == 0 ? "; name another file with --rejects"
                                       : "; earlier runs of this job wrote it: bring it back, or "
                                         "begin anew with --restart"));
  }
  std::unique_ptr<RejectsFile> file(new RejectsFile(path, descriptor));
  VECLOAD_RETURN_IF_ERROR(file->Keep(keep_bytes));
  return file;
}

Status RejectsFile::Keep(uint64_t bytes) {
  if (bytes == 0) return Status::Ok();
  struct stat found{};
  if (fstat(descriptor_, &found) != 0 || static_cast<uint64_t>(found.st_size) < bytes) {
    return Status::Io("the rejects file \"" + path_ +
                      "\" has lost lines that earlier runs of this "
                      "job wrote; bring it back, or begin anew with --restart");
  }
  // Behind `bytes` stand lines of rows that the journal does not know as rejected: they are read,
  // and rejected, again.
  const auto size = static_cast<off_t>(bytes);
  if (ftruncate(descriptor_, size) != 0 || lseek(descriptor_, size, SEEK_SET) != size) {
    return Status::Io("cannot write rejects to \"" + path_ + "\": " + std::strerror(errno));
  }
  size_ = bytes;
  return Status::Ok();
}

bool IsResumable(const std::string& path) {
  struct stat found{};
  return path.empty() || stat(path.c_str(), &found) != 0 || S_ISREG(found.st_mode);
}

RejectsFile::~RejectsFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status RejectsFile::Append(std::span<const Reject> rejects, const Manifest& manifest) {
  if (descriptor_ < 0 || rejects.empty()) return Status::Ok();
  std::string lines;
  for (const Reject& reject : rejects) lines += RejectLine(reject, manifest.files[reject.id.file]);
  std::string_view rest = lines;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const std::string reason = std::strerror(errno);
      // A torn last line would make the whole file unreadable to a JSON Lines reader. What is no
      // regular file cannot be cut, and need not be.
      if (ftruncate(descriptor_, static_cast<off_t>(size_)) == 0) {
        (void)lseek(descriptor_, static_cast<off_t>(size_), SEEK_SET);
      }
      return Status::Io("cannot write rejects to \"" + path_ + "\": " + reason +
                        "; make room or name another file with --rejects");
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  size_ += lines.size();
  synced_ = false;
  return Status::Ok();
}

Status RejectsFile::Sync() {
  if (synced_) return Status::Ok();
  // EINVAL: a pipe or a device, which has nothing to sync.
  if (fsync(descriptor_) != 0 && errno != EINVAL) {
    return Status::Io("cannot sync rejects to \"" + path_ + "\": " + std::strerror(errno));
  }
  synced_ = true;
  return Status::Ok();
}

}  // namespace vecload::load
