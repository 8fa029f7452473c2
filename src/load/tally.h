#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>

#include "base/clock.h"
#include "journal/segment_set.h"
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

// Where the schedulers of all shards stand.
struct Standing {
  uint32_t in_flight = 0;
  double rate_vectors_per_s = 0;  // 0: unlimited
  WaitTimes waits;                // of a shard, on average
};

// The figures of one load, kept by the thread that schedules.
class Tally {
 public:
  // `settled`: by earlier runs, as the journal has it.
  Tally(uint64_t rows_total, const journal::Counts& settled, TimePoint now);

  void OnSend(bool is_first_attempt, uint64_t body_bytes);
  // Whether it was a 429 or 503.
  bool OnAnswer(const Answer& answer);
  void OnCommit(uint64_t acknowledged, uint64_t rejected, uint64_t superseded, TimePoint now);

  // Of a source that does not know its length: as far as it is known by now.
  void SetRowsTotal(uint64_t rows) { rows_total_ = std::max(rows, rows_done()); }

  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] uint64_t rejected() const { return rejected_; }
  [[nodiscard]] uint64_t rows_total() const { return rows_total_; }
  [[nodiscard]] uint64_t rows_done() const {
    return resumed_ + acknowledged_ + rejected_ + superseded_;
  }

  JobProgress Progress(const Standing& standing, TimePoint now);
  // All but status, exit_code, shards and what names the job.
  JobReport Report(const Standing& standing, const ThreadTimes& times, uint32_t encoders,
                   TimePoint now) const;

 private:
  [[nodiscard]] Bottleneck FindBottleneck(const WaitTimes& waits, const ThreadTimes& times,
                                          uint32_t encoders, Duration wall) const;

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
  std::deque<std::pair<TimePoint, uint64_t>> recent_;  // rows done over the last seconds
};

}  // namespace vecload::load
