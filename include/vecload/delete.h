#pragma once

#include <cstdint>

#include "vecload/job.h"
#include "vecload/status.h"

namespace vecload {

/// A whole deletion. `sources` list the keys: Parquet or Arrow IPC with a key column, or JSON Lines
/// with `key` or `key_base64`, as `verify --extra` and `--rejects` write them. Of `source` only the
/// key column and the S3 settings count. `index` is an index, or the base of shards.
using DeleteOptions = JobOptions;
using DeleteReport = JobReport;

/// What a deletion would do, told from its source read whole.
struct DeletePlan {
  uint64_t rows = 0;        ///< keys + rejected + superseded.
  uint64_t keys = 0;        ///< To be sent; whether the index has them is not asked.
  uint64_t rejected = 0;    ///< Null, empty, too long or not UTF-8.
  uint64_t superseded = 0;  ///< Another row of the same batch has the same key.
  uint64_t requests = 0;
  uint32_t shards = 1;
  double delete_s = 0;  ///< At the documented limits of each index.
};

/// Deletes the vector of every key that the sources list, from the shard of its key where the index
/// is divided. A key that is not there counts as acknowledged: the service does not tell. Blocks
/// until the end.
///
/// A failure Status means that nothing was begun: sources, credentials, endpoint, index or journal
/// are not usable; a line of JSON cannot be read, or names another index than that of its key.
/// Afterwards all is told by the report: every row was acknowledged by the service, was rejected
/// with a reason, was superseded, or remains.
Result<DeleteReport> Delete(const DeleteOptions& options);

/// As Delete, of a source of keys that is open, as OpenKeyStream gives one: options.sources only
/// names it in the report, options.source is not read. kInvalidArgument too: a part of a stream.
Result<DeleteReport> Delete(const DeleteOptions& options, Source* source);

/// Reads and counts what Delete would do if it began anew, and changes nothing; fails as it does.
/// kCancelled: `stop` was set.
Result<DeletePlan> PlanDelete(const DeleteOptions& options);

}  // namespace vecload
