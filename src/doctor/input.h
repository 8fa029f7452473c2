#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vecload/doctor.h"
#include "vecload/record.h"
#include "vecload/source.h"

namespace vecload::doctor {

// What is to be loaded: whether it can be read, which columns are what, and whether its first rows
// can be sent to `index`, where there is one. Owns what it uses. `dimension` is left 0 where it is
// not known.
struct InputChecks {
  std::vector<Check> checks;
  uint32_t dimension = 0;
};
InputChecks ChecksOfInput(const std::vector<std::string>& sources, const SourceOptions& options,
                          const std::optional<IndexInfo>& index);

}  // namespace vecload::doctor
