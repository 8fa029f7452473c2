#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "vecload/plan.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::load {

struct KeyCheckOptions {
  uint64_t sort_bytes_max = 0;  // what does not fit is spilled (key_sorter.h)
  std::string path;             // where all rows with such keys are told; empty: nowhere
  const std::atomic<bool>* stop = nullptr;
};

// Which keys several rows have, by the sort of --on-duplicate (duplicates.h). The keys are read
// twice where there are any: the sort has no room for the keys themselves. The file at `path` is
// JSON Lines of `file`, `row`, `key` and `occurrence` (first, again) in the order of the source,
// and empty where no key comes twice. Rows whose key cannot be sent take no part.
//
// Memory: `sort_bytes_max`, then two bits a row in mapped temporary files, and what is shown.
Result<RepeatedKeys> FindRepeatedKeys(Source* source, const KeyCheckOptions& options);

}  // namespace vecload::load
