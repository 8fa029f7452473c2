#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "vecload/status.h"

namespace vecload {

// A file without a name in $TMPDIR, else /tmp: it is gone with this object, and with the process,
// however that ends. Every failure is kIo and names the folder.
class TemporaryFile {
 public:
  static Result<TemporaryFile> Make();
  TemporaryFile(TemporaryFile&& other) noexcept
      : folder_(std::move(other.folder_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        size_(other.size_),
        mapped_(std::exchange(other.mapped_, {})) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();

  Status Append(std::span<const std::byte> bytes);
  // All of `bytes`, which must have been appended.
  Status ReadAt(uint64_t offset, std::span<std::byte> bytes) const;
  // An empty file's space of this many bytes, all zero, as memory that the kernel may write to the
  // file and take back at need. It is allocated here, so that writing to it later cannot fail for
  // want of room. Once a file; valid as long as the file.
  Result<std::span<std::byte>> Map(uint64_t bytes);
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  TemporaryFile(std::string folder, int descriptor)
      : folder_(std::move(folder)), descriptor_(descriptor) {}
  [[nodiscard]] Status Failed(const char* what, int error) const;

  std::string folder_;
  int descriptor_;
  uint64_t size_ = 0;
  std::span<std::byte> mapped_;
};

}  // namespace vecload
