#pragma once

#include "base/clock.h"

namespace vecload::pace {

// Times given by several threads come a little out of order. A clock that is further back has
// jumped, and what was noted by its old reading is noted anew.
inline constexpr Duration kClockJumpMin = std::chrono::seconds(1);

// A token bucket that may go into debt: a taking larger than the burst waits for a full bucket and
// leaves it below zero, so the long-run rate holds for takings of any size.
class TokenBucket {
 public:
  // `rate_per_s` 0: unlimited. Starts full.
  TokenBucket(double rate_per_s, double burst, TimePoint now)
      : rate_per_s_(rate_per_s), burst_(burst), level_(burst), updated_(now) {}

  // The earliest time, not before `now`, at which `tokens` may be taken.
  [[nodiscard]] TimePoint ReadyAt(double tokens, TimePoint now);
  // Takes them, ready or not.
  void Take(double tokens, TimePoint now);
  // Takes them only if they are there.
  bool TryTake(double tokens, TimePoint now);
  void SetRate(double rate_per_s, TimePoint now);
  [[nodiscard]] double rate_per_s() const { return rate_per_s_; }

 private:
  // Brings the level to what it is at `now`.
  void Settle(TimePoint now);

  double rate_per_s_;
  double burst_;
  double level_;
  TimePoint updated_;
};

}  // namespace vecload::pace
