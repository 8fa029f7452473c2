#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload {

/// What a job does with the rows of its source.
enum class JobKind {
  kLoad,    ///< Puts a vector for each row.
  kDelete,  ///< Deletes the vector of each row's key.
};

/// Returns the kind's word, as it stands in journals and reports: "load" or "delete".
std::string_view JobKindName(JobKind kind);

/// What held a job back most of the time.
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

/// Seconds of a job by what they went into: sums over threads, batches or attempts, as in
/// JobReport.
struct JobTimes {
  double read_s = 0;
  double encode_s = 0;
  double wait_tokens_s = 0;     ///< A batch stood ready, the rate limit forbade it.
  double wait_in_flight_s = 0;  ///< A batch stood ready, too many were in flight.
  double wait_batches_s = 0;    ///< No batch stood ready.
  double wait_memory_s = 0;
  double journal_s = 0;
  double put_s = 0;
};

/// Latencies of answers.
struct LatencyMs {
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
};

/// Answers by latency, for Prometheus: `counts[i]` took at most kBoundsS[i] seconds and more than
/// the bound before; the last count is of those beyond all bounds.
struct LatencyCounts {
  static constexpr std::array kBoundsS = {0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
                                          0.5,   1.0,  2.5,   5.0,  10.0, 30.0};
  std::array<uint64_t, kBoundsS.size() + 1> counts{};
  double sum_s = 0;
};

/// Rows that this run cannot send, by the rule that they break: a rejects line's `rule`.
struct RejectCount {
  std::string rule;
  uint64_t rows = 0;
};

/// A file that is being read or answered for.
struct FileProgress {
  std::string file;
  uint64_t rows_total = 0;
  uint64_t rows_done = 0;
};

/// One index of a job over several.
struct ShardProgress {
  std::string index;  ///< "BUCKET/INDEX".
  uint64_t vectors_acknowledged = 0;
  double vectors_per_s = 0;       ///< Over the last few seconds.
  double rate_vectors_per_s = 0;  ///< The pacer's present limit; 0: unlimited.
  uint32_t in_flight = 0;
  uint64_t throttled = 0;
};

/// How far a job is; given to JobOptions::on_progress about twice a second, and once at the end.
/// `rows_done`, `vectors_rejected` and `vectors_superseded` count what earlier runs did, too.
struct JobProgress {
  uint64_t rows_total = 0;
  uint64_t rows_done = 0;  ///< Acknowledged, rejected or superseded.
  uint64_t vectors_acknowledged = 0;
  uint64_t vectors_resumed = 0;
  uint64_t vectors_rejected = 0;
  uint64_t vectors_superseded = 0;
  uint64_t requests = 0;
  uint64_t attempts = 0;
  uint64_t throttled = 0;  ///< Answers 429 and 503.
  uint64_t bytes_sent = 0;
  uint32_t in_flight = 0;
  double vectors_per_s = 0;        ///< Over the last few seconds.
  double vectors_per_s_mean = 0;   ///< Acknowledged since the begin.
  double rate_vectors_per_s = 0;   ///< The pacer's present limit, of all shards; 0: unlimited.
  double limit_vectors_per_s = 0;  ///< What the job was allowed, of all shards; 0: unlimited.
  double elapsed_s = 0;
  std::optional<double> eta_s;  ///< Absent until there is a rate to divide by.

  Bottleneck bottleneck = Bottleneck::kServiceLimit;  ///< Over the last few seconds.
  LatencyMs latency_ms;                               ///< Over the last few seconds.
  LatencyCounts latencies;
  JobTimes times;
  std::vector<RejectCount> rejects;  ///< By rule's name.
  uint64_t files_total = 0;          ///< 0: a stream.
  uint64_t files_done = 0;
  std::vector<FileProgress> files;    ///< Those begun and not done, at most kFilesShownMax.
  std::vector<ShardProgress> shards;  ///< In order; empty where the index is not divided.
  static constexpr size_t kFilesShownMax = 20;
};

/// What every job that sends the rows of a source to an index is told. Zero means "decide for me"
/// where a default is not given.
struct JobOptions {
  std::vector<std::string> sources;
  IndexName index;
  SourceOptions source;
  ClientOptions client;

  /// Of each index, put and deleted together. Absent: the documented limit per index, 2,500, an
  /// equal share of it for each part; 0: unlimited.
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
  std::optional<uint64_t> rejects_max;  ///< More than these stop the job; absent: any.

  /// Part `part` of `parts` only: a fixed share of the rows, the same on whatever machine, so that
  /// `parts` machines divide a job and need not know of each other. From 1; each has its own
  /// journal.
  uint32_t part = 1;
  uint32_t parts = 1;

  /// Keeps a journal, so that the same job again resumes where this one stopped, however it did.
  bool keep_journal = true;
  std::string journal_path;  ///< Empty: $XDG_STATE_HOME/vecload/HASH-OF-THE-JOB.journal.
  bool restart = false;      ///< Forget what the journal holds and do everything.

  /// What the user should know meanwhile, e.g. "resuming: 41.3 % done".
  std::function<void(const std::string&)> on_message;
  std::function<void(const JobProgress&)> on_progress;  ///< Called on a thread of the job.
  /// Set to stop: what is in flight is drained, then the job returns. May be null.
  const std::atomic<bool>* stop = nullptr;
};

/// What one shard of a job had.
struct ShardReport {
  std::string index;
  std::optional<std::string> value = {};  ///< Of the column that the rows are divided by.
  uint64_t vectors_acknowledged = 0;
  double vectors_per_s = 0;  ///< Until its last vector was acknowledged.
  uint64_t throttled = 0;
};

/// The account of a job: rows_total = vectors_acknowledged + vectors_resumed + vectors_rejected +
/// vectors_superseded + rows_remaining.
struct JobReport {
  JobKind kind = JobKind::kLoad;
  Status status;      ///< Not ok: the job stopped early, and why.
  int exit_code = 0;  ///< 0 all acknowledged; 3 some rows rejected; 4 stopped after it began.
  uint64_t rows_total = 0;
  uint64_t vectors_acknowledged = 0;
  uint64_t vectors_resumed = 0;  ///< Acknowledged by an earlier run.
  uint64_t vectors_rejected = 0;
  uint64_t vectors_superseded = 0;  ///< Another row of the same key was sent instead.
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
  double projected_1b_s = 0;  ///< A billion vectors at this job's rate.

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

}  // namespace vecload
