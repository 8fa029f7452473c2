#include "base/temporary_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/check.h"

namespace vecload {
namespace {

Status FolderFailed(const std::string& folder, const char* what, int error) {
  return Status::Io(fmt::format(
      "cannot {} a temporary file in \"{}\": {}; make room there, or name another folder with "
      "TMPDIR",
      what, folder, std::strerror(error)));
}

}  // namespace

Result<TemporaryFile> TemporaryFile::Make() {
  const char* set = std::getenv("TMPDIR");
  std::string folder = set != nullptr && set[0] != '\0' ? set : "/tmp";
  std::string path = folder + "/vecload-XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return FolderFailed(folder, "make", errno);
  unlink(path.c_str());
  return TemporaryFile(std::move(folder), descriptor);
}

TemporaryFile::~TemporaryFile() {
  if (!mapped_.empty()) munmap(mapped_.data(), mapped_.size());
  if (descriptor_ >= 0) close(descriptor_);
}

Status TemporaryFile::Failed(const char* what, int error) const {
  return FolderFailed(folder_, what, error);
}

Status TemporaryFile::Append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Failed("write", written == 0 ? ENOSPC : errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
    size_ += static_cast<uint64_t>(written);
  }
  return Status::Ok();
}

Status TemporaryFile::ReadAt(uint64_t offset, std::span<std::byte> bytes) const {
  CHECK(offset + bytes.size() <= size_);
  while (!bytes.empty()) {
    const ssize_t got = pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Failed("read", got == 0 ? EIO : errno);
    bytes = bytes.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return Status::Ok();
}

Result<std::span<std::byte>> TemporaryFile::Map(uint64_t bytes) {
  CHECK(size_ == 0 && mapped_.empty() && bytes > 0);
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
  if (error != 0) return Failed("write", error);
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) return Failed("map", errno);
  size_ = bytes;
  mapped_ = {static_cast<std::byte*>(memory), bytes};
  return mapped_;
}

}  // namespace vecload
