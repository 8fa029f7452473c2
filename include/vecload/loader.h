#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vecload/job.h"
#include "vecload/record.h"
#include "vecload/status.h"

namespace vecload {

/// How to create the index where it is absent.
struct CreateIndexOptions {
  DistanceMetric metric = DistanceMetric::kCosine;
  std::vector<std::string> non_filterable_keys;
  std::string kms_key_arn;
  std::vector<std::pair<std::string, std::string>> tags;
};

/// What becomes of several rows with the same key.
enum class OnDuplicate {
  kAny,  ///< Within a batch the later row wins; of several batches any one's row may end up there.
  kError,  ///< Nothing is begun.
  kFirst,  ///< The first row of a key is loaded, in the order of the manifest, and no other.
  kLast,   ///< The last one.
};

/// Returns the policy's word, e.g. "first"; empty for kAny.
std::string_view OnDuplicateName(OnDuplicate policy);

/// A whole load.
struct LoadOptions : JobOptions {
  std::optional<CreateIndexOptions> create_index;  ///< Absent: the index must exist.
  /// Divides the vectors by key over so many indexes, INDEX-0000 and so on (ADR 0011): 1 to 1,000.
  /// Rates are each one's. 0: the index of that very name, or with `source.shard_by` one index for
  /// each value of that column, which `index` is the base of (ADR 0012).
  uint32_t shards = 0;

  /// Any but kAny reads all keys before the load begins, and sorts them within memory_bytes_max
  /// and, beyond that, in files of 24 bytes a row in $TMPDIR.
  OnDuplicate on_duplicate = OnDuplicate::kAny;

  /// Only these rows are loaded: those that the lines of this file name with `file` and `row`, as a
  /// rejects file does. No journal is kept or changed then.
  std::string rows_from_path;
};

using LoadProgress = JobProgress;
using LoadReport = JobReport;

/// Loads every row of the sources into the index. Blocks until the end.
///
/// A failure Status means that nothing was begun: sources, columns, credentials, endpoint, index or
/// journal are not usable (found within 30 s). Afterwards all is told by the report: every row was
/// acknowledged by the service, was rejected with a reason, was superseded, or remains.
Result<LoadReport> Load(const LoadOptions& options);

/// As Load, of a source that is open: options.sources only names it in the report, options.source
/// is not read. kInvalidArgument too: rows from a file, or a part, of a stream; a choice among rows
/// of one key in a stream that passes by once.
Result<LoadReport> Load(const LoadOptions& options, Source* source);

}  // namespace vecload
