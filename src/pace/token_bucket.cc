#include "pace/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace vecload::pace {

double TokenBucket::LevelAt(TimePoint now) const {
  // A clock that jumped back must not take tokens away.
  const double elapsed_s = std::max(0.0, Seconds(now - updated_));
  return std::min(burst_, level_ + elapsed_s * rate_per_s_);
}

void TokenBucket::SetLevel(double level, TimePoint now) {
  level_ = level;
  updated_ = now < updated_ - kClockJumpMin ? now : std::max(updated_, now);
}

TimePoint TokenBucket::ReadyAt(double tokens, TimePoint now) const {
  if (rate_per_s_ <= 0) return now;
  const double missing = std::min(tokens, burst_) - LevelAt(now);
  if (missing <= 0) return now;
  // Rounded up to a whole nanosecond, lest the caller wake a moment early and wait again.
  const double wait_ns = std::ceil(missing / rate_per_s_ * 1e9);
  return now + Duration(static_cast<int64_t>(wait_ns));
}

void TokenBucket::Take(double tokens, TimePoint now) {
  if (rate_per_s_ <= 0) return;
  SetLevel(LevelAt(now) - tokens, now);
}

bool TokenBucket::TryTake(double tokens, TimePoint now) {
  if (ReadyAt(tokens, now) > now) return false;
  Take(tokens, now);
  return true;
}

void TokenBucket::SetRate(double rate_per_s, TimePoint now) {
  SetLevel(LevelAt(now), now);
  rate_per_s_ = rate_per_s;
}

}  // namespace vecload::pace
