#include "load/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace vecload::load {
namespace {

Status IoError() { return Status::Io(std::strerror(errno)); }

class PosixFile final : public AppendFile {
 public:
  PosixFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~PosixFile() override { close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return IoError();
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return Status::Ok();
  }

  Status Sync() override {
    // EINVAL: nothing to sync.
    if (fsync(descriptor_) != 0 && errno != EINVAL) return IoError();
    if (!std::exchange(name_synced_, true)) SyncFolder();
    return Status::Ok();
  }

  Status CutTo(uint64_t bytes) override {
    const auto size = static_cast<off_t>(bytes);
    if (ftruncate(descriptor_, size) != 0 || lseek(descriptor_, size, SEEK_SET) != size) {
      return IoError();
    }
    return Status::Ok();
  }

  Result<uint64_t> Size() override {
    struct stat found{};
    if (fstat(descriptor_, &found) != 0) return IoError();
    return static_cast<uint64_t>(found.st_size);
  }

 private:
  // Some file systems cannot, and then keep the name without it.
  void SyncFolder() const {
    std::error_code ignored;
    const std::filesystem::path folder = std::filesystem::absolute(path_, ignored).parent_path();
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    (void)fsync(descriptor);
    close(descriptor);
  }

  std::string path_;
  int descriptor_;
  bool name_synced_ = false;
};

}  // namespace

Result<std::unique_ptr<AppendFile>> OpenAppendFile(const std::string& path, bool create) {
  const int flags = O_WRONLY | O_CLOEXEC | (create ? O_CREAT : 0);
  const int descriptor = open(path.c_str(), flags, 0644);
  if (descriptor < 0) return IoError();
  return std::unique_ptr<AppendFile>(new PosixFile(path, descriptor));
}

}  // namespace vecload::load
