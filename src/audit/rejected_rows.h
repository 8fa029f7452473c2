#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::audit {

// The rows that a load's rejects file lists. Memory: 8 bytes a row.
class RejectedRows {
 public:
  // kInvalidArgument names the line that is no row of the source; kIo.
  static Result<RejectedRows> Read(const std::string& path, const Manifest& manifest);
  [[nodiscard]] bool Has(uint32_t file, uint64_t row) const;

 private:
  std::vector<std::vector<uint64_t>> rows_;  // by file, ascending
};

}  // namespace vecload::audit
