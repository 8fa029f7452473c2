#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/value_shards.h"
#include "journal/identity.h"
#include "source/shard_values.h"
#include "vecload/loader.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::load {

// The indexes that a load's vectors go to, one a shard.
struct Targets {
  std::vector<IndexInfo> indexes;
  // With --shard-by the value of each; else null.
  std::unique_ptr<const client::ValueNumbers> values = nullptr;
  // Which of these values the source has. Of others the journal knows from files that are gone
  // since: they keep their numbers, and nothing goes to them.
  std::vector<bool> has_rows = {};
};

// Reads which values there are, and tells of it (source::FindShardValues has the errors).
Result<std::vector<std::string>> ReadShardValues(const LoadOptions& options, Source* source);

// Of the values' indexes.
Targets MakeTargets(std::vector<std::string> values, std::vector<IndexInfo> indexes);

// Numbers the values as the job's journal does, new ones behind. kInvalidArgument: too many.
Status NumberAsBefore(const IndexName& base, const std::vector<journal::ValueShard>& before,
                      Targets* targets);

// What makes the job's shards: these values, in this order.
void SetShards(const IndexName& base, const Targets& targets, journal::JobIdentity* identity);

// Says of each shard whose it is, and leaves out those that nothing could go to.
void NameValues(const Targets& targets, LoadReport* report);

}  // namespace vecload::load
