#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload {

/// What a load is to be planned of.
struct PlanOptions {
  std::vector<std::string> sources;
  SourceOptions source;
  /// Of an index or the base of shards, which need not be there yet. Absent: nothing is asked of
  /// the service, and no credentials are needed.
  std::optional<IndexName> index;
  ClientOptions client;
  /// 1 to 1,000; 0: as the index has, or one index, or with `source.shard_by` one a value.
  uint32_t shards = 0;

  bool check_keys = false;        ///< Reads the keys of all rows and tells which come twice.
  std::string duplicates_path;    ///< Where all such rows are told, as JSON Lines; empty: nowhere.
  uint64_t memory_bytes_max = 0;  ///< Of check_keys; 0: as a load takes. More goes to $TMPDIR.
  const std::atomic<bool>* stop = nullptr;  ///< May be null.
};

/// A key that several rows have.
struct RepeatedKey {
  struct Row {
    std::string file;
    uint64_t row = 0;  ///< From 0 within its file.
  };
  std::string key;
  uint64_t count = 0;
  std::vector<Row> rows;  ///< In the order of the source; the first one is always among them.
};

/// What check_keys found.
struct RepeatedKeys {
  uint64_t keys = 0;
  uint64_t rows = 0;  ///< Those that have the key of an earlier row.
  /// The first of them in the order of the source, with at most kRowsShownMax rows in all.
  std::vector<RepeatedKey> shown;
  static constexpr size_t kRowsShownMax = 1'000;
};

/// A value of the column by which rows are divided, and how many rows it has.
struct PlannedValue {
  std::string value;
  std::string index;  ///< "BUCKET/INDEX"; empty where no index was named.
  uint64_t rows = 0;
};

/// What a load of the source will take, told from the files' footers and a small sample of rows.
/// Rows that will be rejected, and keys that come twice, are counted as any other.
struct LoadPlan {
  uint64_t files = 0;
  uint64_t row_groups = 0;
  uint64_t rows = 0;
  uint64_t source_bytes = 0;
  ColumnMapping columns;
  uint32_t dimension = 0;

  bool index_exists = false;
  uint32_t shards = 1;
  std::vector<PlannedValue> values;  ///< With `source.shard_by`; by their bytes.
  uint64_t rows_without_value = 0;   ///< Will be rejected.

  uint64_t sample_rows = 0;  ///< 0: no row of the sample could be loaded, and metadata is unknown.
  double key_bytes_mean = 0;
  double metadata_bytes_mean = 0;  ///< By the service's size model.

  uint32_t batch_vectors = 0;      ///< Of a full request: 500, or what fits into 20 MiB.
  uint64_t requests = 0;           ///< PutVectors calls; small files share one.
  uint64_t body_bytes = 0;         ///< Of these calls, without their headers.
  uint64_t logical_bytes = 0;      ///< 4 for each float, the keys and the metadata: what is billed.
  double load_s = 0;               ///< At the documented limits of each index; of the largest.
  uint64_t memory_bytes_max = 0;   ///< The load's default budget on this machine.
  uint64_t verify_list_calls = 0;  ///< Of a verify that finds no difference; one that does, twice.
  std::optional<RepeatedKeys> repeated_keys;  ///< Present with check_keys.
};

/// Plans a load and changes nothing. kInvalidArgument: the vectors have another length than the
/// index's dimension, names and numbers of shards that cannot be, and what OpenSource says;
/// kNotFound: a shard is missing; kConflict: shards that differ, or are another number of them;
/// kCancelled: `stop` was set. An index that is not there is no failure.
Result<LoadPlan> PlanLoad(const PlanOptions& options);

/// As PlanLoad, of a source that is open: options.sources and options.source are not read.
/// kInvalidArgument too: a stream that passes by once, or whose rows are to be divided by value.
Result<LoadPlan> PlanLoad(const PlanOptions& options, Source* source);

}  // namespace vecload
