#pragma once

#include <string>
#include <utility>

#include "vecload/status.h"

namespace vecload::cli {

// A file of a name that was free, held for whoever fills it; goes away again if nobody did.
class ReservedFile {
 public:
  // Makes `stem`.jsonl or, where that is taken, `stem`-2.jsonl and so on: what an earlier run has
  // left is not overwritten, but for an empty file that nobody holds any more, as a killed run
  // leaves it. kIo where no such file can be made.
  static Result<ReservedFile> Make(const std::string& stem);
  ReservedFile(ReservedFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), descriptor_(std::exchange(other.descriptor_, -1)) {}
  ReservedFile& operator=(ReservedFile&&) = delete;
  ~ReservedFile();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  ReservedFile(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;  // empty: moved from
  int descriptor_;    // holds the lock that says that the file has an owner
};

}  // namespace vecload::cli
