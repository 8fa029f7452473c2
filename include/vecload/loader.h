#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload {

/// What held a load back most of the time.
enum class Bottleneck {
  kServiceLimit,    ///< Tokens of the rate limit: as fast as allowed.
  kServiceLatency,  ///< --max-in-flight was reached while answers were outstanding.
  kClientCpu,       ///< Encoding.
  kSourceRead,      ///< Reading and decoding the input.
  kNetwork,         ///< Sending: no encoder, token or place in flight was short.
  kMemoryBudget,    ///< --memory.
};

/// Returns the name in snake_case, e.g. "service_limit".
std::string_view BottleneckName(Bottleneck bottleneck);

/// How far a load is; given to LoadOptions::on_progress about twice a second.
struct LoadProgress {
  uint64_t rows_total = 0;
  uint64_t rows_done = 0;  ///< Acknowledged, rejected or superseded.
  uint64_t vectors_acknowledged = 0;
  uint64_t vectors_rejected = 0;
  uint64_t throttled = 0;  ///< Answers 429 and 503.
  uint32_t in_flight = 0;
  double vectors_per_s = 0;       ///< Over the last few seconds.
  double rate_vectors_per_s = 0;  ///< The pacer's present limit; 0: unlimited.
  double elapsed_s = 0;
  std::optional<double> eta_s;  ///< Absent until there is a rate to divide by.
};

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

/// A whole load. Zero means "decide for me" where a default is not given.
struct LoadOptions {
  std::vector<std::string> sources;
  IndexName index;
  SourceOptions source;
  ClientOptions client;
  std::optional<CreateIndexOptions> create_index;  ///< Absent: the index must exist.
  /// Divides the vectors by key over so many indexes, INDEX-0000 and so on (ADR 0011): 1 to 1,000.
  /// Rates are each one's. 0: the index of that very name.
  uint32_t shards = 0;

  /// Any but kAny reads all keys before the load begins, and sorts them within memory_bytes_max
  /// and, beyond that, in files of 24 bytes a row in $TMPDIR.
  OnDuplicate on_duplicate = OnDuplicate::kAny;

  /// Of each index. Absent: the documented limit per index, 2,500, an equal share of it for each
  /// part; 0: unlimited.
  std::optional<double> rate_vectors_per_s;
  /// Goes beyond rate_vectors_per_s while the service takes it: docs/internals/pacing.md.
  bool rate_auto = false;
  std::optional<double> rate_requests_per_s;  ///< The same, of 1,000 requests/s.
  uint32_t batch_vectors_max = 500;           ///< 1 to 500.
  uint32_t in_flight_max = 0;                 ///< Requests of all shards together.
  uint32_t encoders = 0;                      ///< Threads; 0: half of the cores, 1 to 4.
  /// 0: 256 MiB, or 69 MiB a shard where that is more; at most a quarter of the machine's.
  uint64_t memory_bytes_max = 0;
  std::chrono::seconds give_up_after{3600};  ///< Without any progress.
  std::string rejects_path;                  ///< Empty: rejects are counted, not written.
  /// The path is only a suggestion: a resumed job goes on with the file of its earlier runs.
  bool rejects_path_is_default = false;
  std::optional<uint64_t> rejects_max;  ///< More than these stop the load; absent: any.

  /// Only these rows are loaded: those that the lines of this file name with `file` and `row`, as a
  /// rejects file does. No journal is kept or changed then.
  std::string rows_from_path;
  /// Part `part` of `parts` only: a fixed share of the rows, the same on whatever machine, so that
  /// `parts` machines divide a job and need not know of each other. From 1; each has its own
  /// journal.
  uint32_t part = 1;
  uint32_t parts = 1;

  /// Keeps a journal, so that the same load again resumes where this one stopped, however it did.
  bool keep_journal = true;
  std::string journal_path;  ///< Empty: $XDG_STATE_HOME/vecload/HASH-OF-THE-JOB.journal.
  bool restart = false;      ///< Forget what the journal holds and load everything.

  /// What the user should know meanwhile, e.g. "resuming: 41.3 % done".
  std::function<void(const std::string&)> on_message;
  std::function<void(const LoadProgress&)> on_progress;  ///< Called on a thread of the loader.
  /// Set to stop: what is in flight is drained, then Load returns. May be null.
  const std::atomic<bool>* stop = nullptr;
};

/// What one shard of a load had.
struct ShardReport {
  std::string index;
  uint64_t vectors_acknowledged = 0;
  double vectors_per_s = 0;  ///< Until its last vector was acknowledged.
  uint64_t throttled = 0;
};

/// The account of a load: rows_total = vectors_acknowledged + vectors_resumed + vectors_rejected +
/// vectors_superseded + rows_remaining.
struct LoadReport {
  Status status;      ///< Not ok: the load stopped early, and why.
  int exit_code = 0;  ///< 0 all acknowledged; 3 some rows rejected; 4 stopped after it began.
  uint64_t rows_total = 0;
  uint64_t vectors_acknowledged = 0;
  uint64_t vectors_resumed = 0;  ///< Acknowledged by an earlier run.
  uint64_t vectors_rejected = 0;
  uint64_t vectors_superseded = 0;  ///< Another row of the same key was loaded instead.
  uint64_t rows_remaining = 0;

  uint64_t requests = 0;  ///< Batches sent; `attempts` counts every sending of them.
  uint64_t attempts = 0;
  uint64_t throttled = 0;
  uint64_t bytes_sent = 0;
  double wall_s = 0;
  double vectors_per_s = 0;
  double cpu_s = 0;
  double cpu_us_per_vector = 0;
  uint64_t rss_bytes_max = 0;
  double read_s = 0;         ///< Summed over threads.
  double encode_s = 0;       ///< Summed over threads.
  double wait_tokens_s = 0;  ///< Summed over batches.
  double wait_memory_s = 0;  ///< Summed over threads.
  double journal_s = 0;      ///< Writing down what is done: journal and rejects.
  double put_s = 0;          ///< Summed over attempts.
  double put_latency_p50_ms = 0;
  double put_latency_p95_ms = 0;
  double put_latency_p99_ms = 0;
  Bottleneck bottleneck = Bottleneck::kServiceLimit;
  double projected_1b_s = 0;  ///< A billion vectors at this load's rate.

  std::vector<std::string> sources;
  uint32_t part = 1;  ///< Of `parts`; the counts above are this part's.
  uint32_t parts = 1;
  std::string index;
  std::vector<ShardReport> shards;  ///< In order; empty where the index is not divided.
  std::string endpoint_url;
  ColumnMapping mapping;
  std::string rejects_path;
  std::string journal_path;  ///< Empty: none was kept.
};

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
