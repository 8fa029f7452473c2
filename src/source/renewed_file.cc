#include "source/renewed_file.h"

#include <utility>

#include <arrow/buffer.h>
#include <arrow/status.h>
#include <arrow/util/key_value_metadata.h>

namespace vecload::source {
namespace {

// What S3 says of the object as it was when the file was opened; costs no request.
std::string EtagOf(arrow::io::RandomAccessFile* file) {
  const auto metadata = file->ReadMetadata();
  if (!metadata.ok() || *metadata == nullptr) return {};
  return (*metadata)->Get("ETag").ValueOr("");
}

}  // namespace

RenewedFile::RenewedFile(File file, OpenAgain open_again)
    : open_again_(std::move(open_again)), file_(std::move(file)) {}

RenewedFile::File RenewedFile::Current() const {
  const std::lock_guard lock(mutex_);
  return file_;
}

arrow::Result<RenewedFile::File> RenewedFile::Renew(const File& failed) {
  const std::lock_guard lock(mutex_);
  if (file_ != failed) return file_;  // by another thread
  ARROW_ASSIGN_OR_RAISE(File newer, open_again_());
  if (newer == nullptr) return file_;
  if (EtagOf(newer.get()) != EtagOf(file_.get())) {
    return arrow::Status::IOError("the file has changed while it was read");
  }
  file_ = std::move(newer);
  return file_;
}

template <typename T, typename ReadOf>
arrow::Result<T> RenewedFile::Reading(const ReadOf& read) {
  const File file = Current();
  arrow::Result<T> result = read(file.get());
  if (result.ok()) return result;
  ARROW_ASSIGN_OR_RAISE(const File renewed, Renew(file));
  return renewed == file ? std::move(result) : read(renewed.get());
}

arrow::Result<int64_t> RenewedFile::ReadAt(int64_t position, int64_t bytes, void* out) {
  return Reading<int64_t>(
      [&](arrow::io::RandomAccessFile* file) { return file->ReadAt(position, bytes, out); });
}

arrow::Result<std::shared_ptr<arrow::Buffer>> RenewedFile::ReadAt(int64_t position, int64_t bytes) {
  return Reading<std::shared_ptr<arrow::Buffer>>(
      [&](arrow::io::RandomAccessFile* file) { return file->ReadAt(position, bytes); });
}

arrow::Status RenewedFile::Seek(int64_t position) {
  if (position < 0) return arrow::Status::Invalid("a seek to ", position);
  position_ = position;
  return arrow::Status::OK();
}

arrow::Result<int64_t> RenewedFile::Read(int64_t bytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, bytes, out));
  position_ += got;
  return got;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> RenewedFile::Read(int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, bytes));
  position_ += buffer->size();
  return buffer;
}

}  // namespace vecload::source
