#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vecload/client.h"
#include "vecload/loader.h"
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
  /// How many rows are read to see what keys and metadata take and which rows would be rejected;
  /// of many small files fewer.
  uint64_t sample_rows = 10'000;
  std::string prices_path;  ///< A file of prices (docs/reference/cli.md); empty: AWS's list.

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

/// A rule that rows of the sample break.
struct PlannedReject {
  std::string rule;   ///< A rejects line's `rule`.
  uint64_t rows = 0;  ///< Of the sample.
  std::string file;   ///< These three: of the first of them.
  uint64_t row = 0;   ///< From 0 within its file.
  std::string message;
};

/// How long a load over so many indexes takes.
struct ShardTime {
  uint32_t shards = 0;
  uint64_t requests = 0;
  double load_s = 0;
};

/// Amounts of money as decimal numbers, "0.8192", with at most six decimals.
struct PlannedCost {
  std::string currency;
  std::string region;              ///< Whose prices these are,
  std::string prices_source;       ///< who says so,
  std::string prices_date;         ///< and since when.
  std::string load = {};           ///< The PutVectors calls.
  std::string storage_month = {};  ///< Of what is stored.
  std::string queries_1000 = {};   ///< A thousand queries, without what they scan of the index.
  std::string verify_lists = {};   ///< A verify's ListVectors calls; empty: no price is known.
};

/// What a load of the source will take, told from the files' footers and a sample of rows. Rows
/// that will be rejected, and keys that come twice, are counted as any other.
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

  uint64_t sample_rows_read = 0;
  uint64_t sample_rows = 0;  ///< Those that can be loaded; 0: none, and metadata is unknown.
  std::vector<PlannedReject> sample_rejects;  ///< The others, by rule.
  double key_bytes_mean = 0;
  double metadata_bytes_mean = 0;  ///< By the service's size model.

  uint32_t batch_vectors = 0;  ///< Of a full request: 500, or what fits into 20 MiB.
  uint64_t requests = 0;       ///< PutVectors calls; small files share one.
  uint64_t body_bytes = 0;     ///< Of these calls, without their headers.
  uint64_t logical_bytes = 0;  ///< 4 for each float, the keys and the metadata: what is billed.
  double load_s = 0;           ///< At the documented limits of each index; of the largest.
  std::vector<ShardTime> by_shards;  ///< 1, 2, 4, ... indexes; empty with `source.shard_by`.
  uint64_t memory_bytes_max = 0;     ///< The load's default budget on this machine.
  uint64_t verify_list_calls = 0;  ///< Of a verify that finds no difference; one that does, twice.
  PlannedCost cost;
  std::optional<RepeatedKeys> repeated_keys;  ///< Present with check_keys.
};

/// Plans a load and changes nothing. kInvalidArgument: the vectors have another length than the
/// index's dimension, names and numbers of shards that cannot be, and what OpenSource says;
/// kNotFound: a shard is missing; kConflict: shards that differ, or are another number of them;
/// kCancelled: `stop` was set. An index that is not there is no failure.
Result<LoadPlan> PlanLoad(const PlanOptions& options);

/// Plans this very load and changes nothing: makes no index, keeps no journal, writes no rejects.
/// Fails as the load would of sources, columns, index and shards. Of a load that was begun before
/// it tells what the whole takes. `prices_path` as of PlanOptions.
Result<LoadPlan> PlanLoad(const LoadOptions& options, const std::string& prices_path = {});

/// As PlanLoad, of a source that is open: options.sources and options.source are not read.
/// kInvalidArgument too: a stream that passes by once, or whose rows are to be divided by value.
Result<LoadPlan> PlanLoad(const PlanOptions& options, Source* source);

}  // namespace vecload
