#pragma once

#include <string>
#include <utility>

#include "vecload/status.h"

namespace vecload::cli {

// A file of a name that was free, held for whoever fills it; goes away again if nobody did.
class ReservedFile {
 public:
  // Makes `stem`.jsonl or, where that is taken, `stem`-2.jsonl and so on: what an earlier run has
  // left is not overwritten. kIo where no such file can be made.
  static Result<ReservedFile> Make(const std::string& stem);
  ReservedFile(ReservedFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ReservedFile& operator=(ReservedFile&&) = delete;
  ~ReservedFile();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit ReservedFile(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
};

}  // namespace vecload::cli
