#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vecload/status.h"

namespace vecload::load {

// The seam for the file that rejects go to, so that tests can take its power away. Failures are
// kIo and say why; the caller knows what the file is for.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // Writes all of `bytes` at the end; a failure may leave some of them.
  virtual Status Append(std::string_view bytes) = 0;
  // Makes what was written survive a power cut, and the file's name too.
  virtual Status Sync() = 0;
  // Leaves the first `bytes`, of at least as many.
  virtual Status CutTo(uint64_t bytes) = 0;
  virtual Result<uint64_t> Size() = 0;
};

// A file of the machine, made where it is absent. A pipe or a device takes what is appended, cannot
// be cut and has nothing to sync.
Result<std::unique_ptr<AppendFile>> OpenAppendFile(const std::string& path, bool create);

}  // namespace vecload::load
