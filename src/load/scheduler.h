#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "pace/concurrency.h"
#include "pace/pacer.h"
#include "pace/remedy.h"
#include "vecload/status.h"

namespace vecload::load {

using BatchId = uint64_t;

// What came of one attempt.
struct Answer {
  Status status;
  std::vector<size_t> named_records;  // ascending positions in the batch
  Duration retry_after{};
  Duration latency{};
};

// What the scheduler wants done. Each is given once; its outcome comes back as an event.
struct Action {
  enum class Kind {
    kSend,     // send `batch`; answer with OnAnswer
    kCommit,   // `batch` is settled: every row it covers is done
    kReject,   // the service refused `records` of `batch`: note them, keep the rest
    kHalve,    // divide `batch` at `divide_at` into itself and `tail`
    kRefresh,  // get new credentials; answer with OnRefreshed
    kWait,     // nothing to do before `until`, unless an event comes
    kFinish,   // the end; `status` says whether all batches are settled
  };
  Kind kind = Kind::kWait;
  BatchId batch = 0;
  BatchId tail = 0;
  size_t divide_at = 0;
  std::vector<size_t> records = {};
  Status status = {};
  TimePoint until{};
};

// Why nothing was sent, in time that passed.
struct WaitTimes {
  Duration tokens{};     // a batch stood ready, the rate limit forbade it
  Duration in_flight{};  // a batch stood ready, too many were in flight
  Duration batches{};    // no batch stood ready
};

// Decides what is sent when, and what becomes of it. A pure state machine: events and the time go
// in, actions come out; it owns no thread, socket or clock. Not thread-safe.
//
// The owner feeds events, then calls Next until it says kWait or kFinish, and calls again when
// the time has come or an event has.
class Scheduler {
 public:
  struct Options {
    pace::Pacer::Options pace = {};
    uint32_t in_flight_max = 256;
    // Without an acknowledged batch. Before the first one, a minute at most: a load that never
    // worked has something to be mended, and its user is still there to do so.
    Duration give_up_after = std::chrono::hours(1);
    // By an earlier run of the job: nothing is wrong with all rows then.
    bool acknowledged_before = false;
    uint64_t seed = 1;
  };
  Scheduler(const Options& options, TimePoint now);

  // A batch is encoded and may go. With no vectors (all rows rejected) it is settled at once.
  void OnBatch(BatchId batch, size_t vectors, TimePoint now);
  void OnAnswer(BatchId batch, const Answer& answer, TimePoint now);
  void OnRefreshed(const Status& status);
  // No more batches come.
  void OnSourceEnd();
  // Send nothing more; finish with `reason` when what is in flight is answered. The first reason
  // stands.
  void OnStop(const Status& reason);

  Action Next(TimePoint now);

  [[nodiscard]] uint32_t in_flight() const { return in_flight_; }
  [[nodiscard]] uint32_t in_flight_limit() const { return concurrency_.limit(); }
  [[nodiscard]] double rate_vectors_per_s() const { return pacer_.rate_vectors_per_s(); }
  [[nodiscard]] const WaitTimes& wait_times() const { return wait_times_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] const Status& stop_reason() const { return stop_reason_; }

 private:
  enum class Waiting { kNothing, kTokens, kInFlight, kBatches };
  struct Batch {
    size_t vectors = 0;
    uint32_t failures = 0;
    bool refreshed = false;
    bool clock_mended = false;
    BatchId root = 0;  // the batch as it was cut; itself until it is halved
  };
  // How the pieces of a halved batch fared; see RootDone.
  struct Root {
    size_t pieces = 1;
    bool any_acknowledged = false;
  };
  struct Retry {
    TimePoint due;
    BatchId batch;
    friend bool operator>(const Retry& a, const Retry& b) { return a.due > b.due; }
  };

  void Acknowledge(BatchId id, TimePoint now);
  void Settle(BatchId id);
  void RejectRecords(BatchId id, std::vector<size_t> records);
  void Halve(BatchId id);
  void RetryLater(BatchId id, const Answer& answer, TimePoint now);
  void ApplyRemedy(BatchId id, pace::Remedy remedy, const Answer& answer, TimePoint now);
  void PieceDone(BatchId root, bool acknowledged);
  void MoveDueRetries(TimePoint now);
  [[nodiscard]] uint32_t InFlightAllowed() const;
  [[nodiscard]] double RequestsPerS() const;
  [[nodiscard]] Duration Patience() const;
  void CheckPatience(TimePoint now);
  std::optional<Action> NextSend(TimePoint now);
  Action WaitUntil(TimePoint until, Waiting reason);
  void AccountWait(TimePoint now);

  Options options_;
  pace::Pacer pacer_;
  pace::ConcurrencyLimit concurrency_;
  Random random_;
  std::unordered_map<BatchId, Batch> batches_;  // everything not settled
  std::unordered_map<BatchId, Root> roots_;     // of halved batches only
  std::deque<BatchId> ready_;
  std::priority_queue<Retry, std::vector<Retry>, std::greater<>> retries_;
  std::deque<Action> actions_;
  BatchId tails_made_ = 0;
  uint32_t in_flight_ = 0;
  uint32_t failures_in_a_row_ = 0;
  bool refreshing_ = false;
  bool source_ended_ = false;
  bool stopping_ = false;
  Status stop_reason_;
  Status last_failure_;
  bool anything_acknowledged_ = false;
  uint32_t roots_all_bad_ = 0;
  TimePoint last_progress_;
  double mean_vectors_ = 0;  // of a sent batch
  Waiting waiting_ = Waiting::kNothing;
  TimePoint waiting_since_;
  WaitTimes wait_times_;
};

}  // namespace vecload::load
