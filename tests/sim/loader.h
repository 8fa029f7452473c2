#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "client/caller.h"
#include "journal/journal.h"
#include "load/ledger.h"
#include "load/rejects_file.h"
#include "load/scheduler.h"
#include "load/tally.h"
#include "sim/batches.h"
#include "sim/service.h"
#include "sim/world.h"
#include "sqlite/testing_vfs.h"

namespace vecload::sim {

// What breaks a promise; the first one ends a simulation.
struct Violations {
  std::string first;
  void Add(std::string what) {
    if (first.empty()) first = std::move(what);
  }
  [[nodiscard]] bool any() const { return !first.empty(); }
};

// When a run is to die, or to be told to stop. UINT64_MAX: never.
struct Ending {
  uint64_t crash_at_step = UINT64_MAX;
  uint64_t crash_at_disk_change = UINT64_MAX;
  uint64_t stop_at_step = UINT64_MAX;
};

// Whether what is sent keeps to a rate with a burst: in any stretch of time at most rate x length +
// burst. By arithmetic of its own, since a defect of pace::TokenBucket must show.
class RateCheck {
 public:
  // `rate_per_s` 0: anything goes.
  RateCheck(double rate_per_s, double burst) : rate_per_s_(rate_per_s), burst_(burst) {}
  // False: it is too much.
  bool Take(double count, TimePoint now);

 private:
  double rate_per_s_;
  double burst_;
  double owed_ = 0;  // sent, and not yet made up for by time
  TimePoint last_{};
};

struct RunCounts {
  uint64_t steps = 0;
  uint64_t acknowledged = 0;  // vectors, that the loader was told of
  uint64_t batches_not_committed_max = 0;
  size_t journal_segments_max = 0;
};

// One life of a loader: the shipped scheduler, pace, ledger, journal and caller, where the
// pipeline's threads would be.
class LoaderRun {
 public:
  struct Parts {
    World* world = nullptr;
    Service* service = nullptr;
    const Job* job = nullptr;
    sqlite::TestingVfs* disk = nullptr;
    journal::Journal* journal = nullptr;
    load::RejectsFile* rejects = nullptr;
    client::Caller* caller = nullptr;
    const Manifest* manifest = nullptr;
    Violations* violations = nullptr;
    uint64_t seed = 0;
  };
  explicit LoaderRun(const Parts& parts);

  enum class End { kDone, kStopped, kCrashed };
  End Run(const Ending& ending);

  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const RunCounts& counts() const { return counts_; }

 private:
  // What came in; shared with answers that may come when the run is over.
  struct Inbox {
    std::deque<std::pair<load::BatchId, client::Outcome>> answers;
    std::deque<Status> refreshed;
  };

  bool Perform(const load::Action& action);
  void Send(load::BatchId id);
  void CheckRate(size_t vectors);
  void Settle(load::BatchId id);
  void Commit();
  bool Feed();
  void Wait(TimePoint until);
  void Handle();
  void CheckReport();
  void CheckSegments();

  Parts parts_;
  load::Tally tally_;
  load::Ledger ledger_;
  load::Scheduler scheduler_;
  BatchSource source_;
  std::unordered_map<load::BatchId, SimBatch> live_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  load::BatchId next_id_ = 0;
  bool source_ended_ = false;
  Status status_;
  RunCounts counts_;
  uint64_t batches_not_committed_ = 0;
  size_t segments_at_start_;
  RateCheck vectors_rate_;
  RateCheck requests_rate_;
  TimePoint last_activity_;
};

}  // namespace vecload::sim
