#include "pace/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace vecload::pace {

void TokenBucket::Settle(TimePoint now) {
  // A clock that jumped back takes no tokens away, and time goes on from where it is now: waiting
  // until it has caught up could take hours.
  const double elapsed_s = std::max(0.0, Seconds(now - updated_));
  level_ = std::min(burst_, level_ + elapsed_s * rate_per_s_);
  updated_ = now < updated_ - kClockJumpMin ? now : std::max(updated_, now);
}

TimePoint TokenBucket::ReadyAt(double tokens, TimePoint now) {
  if (rate_per_s_ <= 0) return now;
  Settle(now);
  const double missing = std::min(tokens, burst_) - level_;
  if (missing <= 0) return now;
  // Rounded up to a whole nanosecond, lest the caller wake a moment early and wait again.
  const double wait_ns = std::ceil(missing / rate_per_s_ * 1e9);
  return now + Duration(static_cast<int64_t>(wait_ns));
}

void TokenBucket::Take(double tokens, TimePoint now) {
  if (rate_per_s_ <= 0) return;
  Settle(now);
  level_ -= tokens;
}

bool TokenBucket::TryTake(double tokens, TimePoint now) {
  if (ReadyAt(tokens, now) > now) return false;
  Take(tokens, now);
  return true;
}

void TokenBucket::SetRate(double rate_per_s, TimePoint now) {
  Settle(now);
  rate_per_s_ = rate_per_s;
}

}  // namespace vecload::pace
