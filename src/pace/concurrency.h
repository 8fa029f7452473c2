#pragma once

#include <cstdint>

#include "base/clock.h"

namespace vecload::pace {

// How many requests may be in flight. With a rate limit: Little's law, rate x latency, with a
// quarter more for jitter. Without one: as TCP Vegas does, one more while the latency says that
// the server queues less than kQueueLow of our requests, one fewer when it queues kQueueHigh.
class ConcurrencyLimit {
 public:
  explicit ConcurrencyLimit(uint32_t in_flight_max) : in_flight_max_(in_flight_max) {
    limit_ = limit_ < in_flight_max ? limit_ : in_flight_max;
  }

  // A request was answered. `requests_per_s` is what the pacer allows now; 0: unlimited.
  void OnAnswer(Duration latency, double requests_per_s, uint32_t in_flight);
  [[nodiscard]] uint32_t limit() const { return limit_; }

  static constexpr uint32_t kStart = 8;
  static constexpr double kQueueLow = 2;
  static constexpr double kQueueHigh = 4;

 private:
  void FollowRate(double requests_per_s);
  void FollowQueue(double latency_s, uint32_t in_flight);

  uint32_t in_flight_max_;
  uint32_t limit_ = kStart;
  double latency_s_ = 0;        // smoothed
  double latency_floor_s_ = 0;  // the least seen
  uint32_t answers_to_change_ = kStart;
};

}  // namespace vecload::pace
