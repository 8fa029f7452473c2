#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vecload/status.h"

namespace vecload::wire {

// A row of a source, as vecload names it in its files of JSON Lines: {"file":"a.parquet","row":17}.
struct RowReference {
  std::string file;
  uint64_t row = 0;
};

// Reads one such line; other members are passed over. kInvalidArgument: not a JSON object, or
// without these two.
Result<RowReference> ParseRowReference(std::string_view line);

}  // namespace vecload::wire
