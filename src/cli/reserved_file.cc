#include "cli/reserved_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

namespace vecload::cli {

namespace {

// Empty, regular, and held by no other process.
bool IsFree(int descriptor) {
  struct stat info = {};
  return fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0 &&
         flock(descriptor, LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

Result<ReservedFile> ReservedFile::Make(const std::string& stem) {
  // Nobody keeps a thousand of them; beyond, the folder needs a look rather than one more file.
  constexpr int kNamesMax = 1000;
  std::string path = stem + ".jsonl";
  for (int number = 2; number <= kNamesMax; ++number) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
    if (descriptor >= 0) {
      if (IsFree(descriptor)) return ReservedFile(path, descriptor);
      close(descriptor);
    } else if (access(path.c_str(), F_OK) != 0) {
      break;  // not taken: the folder cannot be written to
    }
    path = fmt::format("{}-{}.jsonl", stem, number);
  }
  return Status::Io(
      fmt::format("{} cannot be made for rejected rows: {}; name a file with --rejects", path,
                  std::strerror(errno)));
}

ReservedFile::~ReservedFile() {
  struct stat info = {};
  if (!path_.empty() && stat(path_.c_str(), &info) == 0 && info.st_size == 0) {
    unlink(path_.c_str());
  }
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace vecload::cli
