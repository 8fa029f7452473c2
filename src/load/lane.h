#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "load/encoder.h"
#include "load/scheduler.h"
#include "vecload/record.h"

namespace vecload::load {

// One shard's side of a load: its own pace and its own batches, so that a slow index slows itself
// alone. Of an index that is not divided there is one.
struct Lane {
  // An encoded batch until it is settled.
  struct Live {
    std::shared_ptr<EncodedBatch> batch;
    uint64_t charged_bytes = 0;  // of the memory; kNoCharge: another batch carries it
    bool sent = false;
    std::string refusal = {};  // why the service refused records
  };
  static constexpr uint64_t kNoCharge = UINT64_MAX;

  Lane(IndexName index, const Scheduler::Options& options, TimePoint now)
      : name(std::move(index)), subject(name.ToString()), scheduler(options, now) {}

  IndexName name;
  std::string subject;  // of the calls, in failures
  Scheduler scheduler;
  std::unordered_map<BatchId, Live> live;
  TimePoint wake{};  // when the scheduler wants to be asked again; an event brings it forward
  bool finished = false;
  bool refreshing = false;  // waits for new credentials
  uint64_t acknowledged = 0;
  uint64_t throttled = 0;
  TimePoint last_acknowledged{};
};

}  // namespace vecload::load
