#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/clock.h"
#include "journal/segment_set.h"
#include "load/coverage.h"
#include "load/scheduler.h"
#include "observe/latency_histogram.h"
#include "vecload/job.h"

namespace vecload::load {

// Nanoseconds that several threads add to.
class SharedDuration {
 public:
  void Add(Duration duration) { count_.fetch_add(duration.count(), std::memory_order_relaxed); }
  [[nodiscard]] Duration get() const { return Duration(count_.load(std::memory_order_relaxed)); }

 private:
  std::atomic<int64_t> count_{0};
};

// Where the threads' time went.
struct ThreadTimes {
  SharedDuration read;         // reading and decoding the source
  SharedDuration encode;       // encoding and hashing
  SharedDuration wait_memory;  // standing still because --memory was spent
  SharedDuration journal;      // writing down what is done
};

// Where time went since the begin.
struct Spent {
  Duration read{};
  Duration encode{};
  Duration wait_memory{};
  Duration journal{};
  WaitTimes waits;  // of a shard, on average

  [[nodiscard]] Spent Since(const Spent& earlier) const;
};

// Where a job stands, as its threads and the schedulers of all shards know it.
struct Standing {
  uint32_t in_flight = 0;
  double rate_vectors_per_s = 0;   // 0: unlimited
  double limit_vectors_per_s = 0;  // what the rate may be; 0: unlimited
  uint32_t encoders = 1;
  Spent spent;
  std::vector<ShardProgress> shards = {};  // all but their vectors_per_s; empty: not told
};

// The figures of one load, kept by the thread that schedules.
class Tally {
 public:
  // `settled`: by earlier runs, as the journal has it.
  Tally(uint64_t rows_total, const journal::Counts& settled, TimePoint now);

  void OnSend(bool is_first_attempt, uint64_t body_bytes);
  // Whether it was a 429 or 503.
  bool OnAnswer(const Answer& answer);
  // Why rows are rejected; that they are is for OnCommit.
  void OnRejects(std::span<const Reject> rejects);
  void OnCommit(uint64_t acknowledged, uint64_t rejected, uint64_t superseded);

  // Of a source that does not know its length: as far as it is known by now.
  void SetRowsTotal(uint64_t rows) { rows_total_ = std::max(rows, rows_done()); }

  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] uint64_t rejected() const { return rejected_; }
  [[nodiscard]] uint64_t rows_total() const { return rows_total_; }
  [[nodiscard]] uint64_t rows_done() const {
    return resumed_ + acknowledged_ + rejected_ + superseded_;
  }

  // All but the files.
  JobProgress Progress(const Standing& standing, TimePoint now);
  // All but status, exit_code, shards and what names the job.
  [[nodiscard]] JobReport Report(const Standing& standing, TimePoint now) const;

 private:
  // What the figures of the last seconds are the difference to.
  struct Sample {
    TimePoint at;
    uint64_t rows_done = 0;
    Spent spent;
    observe::LatencyHistogram latencies;
    std::vector<uint64_t> acknowledged;  // by shard
  };

  void TellRecent(const Standing& standing, TimePoint now, JobProgress* progress) const;
  void TakeSample(const Standing& standing, TimePoint now);

  uint64_t rows_total_;
  TimePoint started_;
  double cpu_s_at_start_;
  uint64_t resumed_;
  uint64_t acknowledged_ = 0;
  uint64_t rejected_;
  uint64_t superseded_;
  uint64_t requests_ = 0;
  uint64_t attempts_ = 0;
  uint64_t throttled_ = 0;
  uint64_t bytes_sent_ = 0;
  Duration put_{};
  observe::LatencyHistogram latencies_;
  LatencyCounts latency_counts_;
  std::array<uint64_t, kRejectRules> rejects_{};  // by rule, of this run
  std::deque<Sample> recent_;                     // the last seconds, a sample each Progress
};

}  // namespace vecload::load
