#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/value_shards.h"
#include "journal/identity.h"
#include "load/coverage.h"
#include "source/shard_values.h"
#include "vecload/loader.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::load {

// Where rows of one shard alone follow each other, as in a source that is sorted by value.
class ShardRuns {
 public:
  ShardRuns(const Manifest& manifest, const source::ShardValues& found,
            const client::ValueNumbers& numbers);
  // Up to which row of the file all are the shard's from this one on; this one itself where that is
  // not known.
  [[nodiscard]] uint64_t EndOf(RowId id, uint32_t shard) const;

 private:
  struct Run {
    uint64_t begin = 0;  // numbered over all files
    uint64_t end = 0;
    uint32_t shard = 0;
  };
  std::vector<uint64_t> first_rows_;  // one a file, and one behind the last
  std::vector<Run> runs_;
};

// The indexes that a load's vectors go to, one a shard.
struct Targets {
  std::vector<IndexInfo> indexes;
  // With --shard-by the value of each; else null.
  std::unique_ptr<const client::ValueNumbers> values = nullptr;
  // Which of these values the source has. Of others the journal knows from files that are gone
  // since: they keep their numbers, and nothing goes to them.
  std::vector<bool> has_rows = {};
  source::ShardValues read = {};  // what the source has
};

// Reads which values there are, and tells of it (source::FindShardValues has the errors).
Result<source::ShardValues> ReadShardValues(const LoadOptions& options, Source* source);

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
