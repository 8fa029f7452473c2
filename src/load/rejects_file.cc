#include "load/rejects_file.h"

#include <sys/stat.h>

#include <utility>

#include "base/base64.h"
#include "base/json_text.h"

namespace vecload::load {
namespace {

Status CannotWrite(const std::string& path, const Status& status, std::string_view advice) {
  return Status::Io("cannot write rejects to \"" + path + "\": " + status.message() + "; " +
                    std::string(advice));
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
  AppendJsonString(reject->key_is_base64 ? ToBase64(key) : std::string(key), &reject->key_json);
}

Result<std::unique_ptr<RejectsFile>> RejectsFile::Open(const std::string& path,
                                                       uint64_t keep_bytes) {
  if (path.empty()) return std::unique_ptr<RejectsFile>(new RejectsFile(path, nullptr));
  Result<std::unique_ptr<AppendFile>> file = OpenAppendFile(path, /*create=*/keep_bytes == 0);
  if (file.ok()) return Open(path, keep_bytes, *std::move(file));
  return CannotWrite(path, file.status(),
                     keep_bytes == 0 ? "name another file with --rejects"
                                     : "earlier runs of this job wrote it: bring it back, or begin "
                                       "anew with --restart");
}

Result<std::unique_ptr<RejectsFile>> RejectsFile::Open(const std::string& path, uint64_t keep_bytes,
                                                       std::unique_ptr<AppendFile> file) {
  std::unique_ptr<RejectsFile> rejects(new RejectsFile(path, std::move(file)));
  VECLOAD_RETURN_IF_ERROR(rejects->Keep(keep_bytes));
  return rejects;
}

Status RejectsFile::Keep(uint64_t bytes) {
  VECLOAD_ASSIGN_OR_RETURN(const uint64_t size, file_->Size());
  if (size < bytes) {
    return Status::Io("the rejects file \"" + path_ +
                      "\" has lost lines that earlier runs of this job wrote; bring it back, or "
                      "begin anew with --restart");
  }
  // Behind `bytes` stand lines of rows that the journal does not know as rejected: they are read,
  // and rejected, again. What has no length (a pipe, a device) cannot be cut, and need not be.
  const Status cut = file_->CutTo(bytes);
  if (!cut.ok() && size > 0) return CannotWrite(path_, cut, "name another file with --rejects");
  size_ = bytes;
  return Status::Ok();
}

bool IsResumable(const std::string& path) {
  struct stat found{};
  return path.empty() || stat(path.c_str(), &found) != 0 || S_ISREG(found.st_mode);
}

Status RejectsFile::Append(std::span<const Reject> rejects, const Manifest& manifest) {
  if (file_ == nullptr || rejects.empty()) return Status::Ok();
  std::string lines;
  for (const Reject& reject : rejects) lines += RejectLine(reject, manifest.files[reject.id.file]);
  const Status appended = file_->Append(lines);
  if (!appended.ok()) {
    // A torn last line would make the whole file unreadable to a JSON Lines reader.
    (void)file_->CutTo(size_);
    return CannotWrite(path_, appended, "make room or name another file with --rejects");
  }
  size_ += lines.size();
  synced_ = false;
  return Status::Ok();
}

Status RejectsFile::Sync() {
  if (synced_) return Status::Ok();
  const Status synced = file_->Sync();
  if (!synced.ok())
    return CannotWrite(path_, synced, "make room or name another file with --rejects");
  synced_ = true;
  return Status::Ok();
}

}  // namespace vecload::load
