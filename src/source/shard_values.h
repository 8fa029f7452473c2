#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::source {

// The values of the column of --shard-by, each of which is a shard.
struct ShardValues {
  struct Value {
    std::string text;
    uint64_t rows = 0;
  };
  // Rows that follow each other, numbered over all files, and have one value; only long ones, as
  // where the source is sorted by it.
  struct Run {
    uint64_t begin = 0;
    uint64_t end = 0;
    size_t value = 0;  // a place in `values`
  };
  static constexpr uint64_t kRunRowsMin = 10'000;

  std::vector<Value> values;  // by their bytes, ascending
  std::vector<Run> runs;      // in order
  uint64_t rows_without = 0;  // null, or not UTF-8: rows that will be rejected
};

// Reads that column of all rows, and no other; of a hive partition nothing at all is read.
// kInvalidArgument: more than `values_max` values, or not one; kCancelled: `stop`, which may be
// null. Memory: the values, and 24 bytes a run.
Result<ShardValues> FindShardValues(Source* source, uint32_t values_max,
                                    const std::atomic<bool>* stop);

}  // namespace vecload::source
