#include "cli/reserved_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

namespace vecload::cli {

Result<ReservedFile> ReservedFile::Make(const std::string& stem) {
  // Nobody keeps a thousand of them; beyond, the folder needs a look rather than one more file.
  constexpr int kNamesMax = 1000;
  std::string path = stem + ".jsonl";
  for (int number = 2; number <= kNamesMax; ++number) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor >= 0) {
      close(descriptor);
      return ReservedFile(path);
    }
    if (errno != EEXIST) break;
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
}

}  // namespace vecload::cli
