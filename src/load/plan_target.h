#pragma once

#include <cstdint>
#include <optional>

#include "client/shards.h"
#include "source/shard_values.h"
#include "vecload/plan.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

// Where the vectors of a planned load will go.
namespace vecload::load {

// What the indexes, where there are some, say of the rows that they take.
struct PlanTarget {
  std::optional<client::ShardSet> set;
  uint32_t shards = 1;
  source::ShardValues values = {};  // with --shard-by
  bool is_whole = true;             // else some of the set's indexes are still to be made

  [[nodiscard]] bool exists() const { return set.has_value() && is_whole; }
};

// kInvalidArgument: a division of rows that cannot be.
Status CheckPlanShards(const PlanOptions& options);
// Looks for the indexes, where one is named, and for the values that divide the source.
Result<PlanTarget> FindPlanTarget(const PlanOptions& options, Source* source);

// What load checks beyond: whether it takes the indexes that there are, or may make those that are
// not. kNotFound, kConflict.
Status CheckLoadTarget(const LoadOptions& options, const PlanTarget& target);

}  // namespace vecload::load
