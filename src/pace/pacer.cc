#include "pace/pacer.h"

#include <algorithm>

namespace vecload::pace {
namespace {

// The documented limit per index; where an unlimited pacer starts from when it is throttled.
constexpr double kDocumentedVectorsPerS = 2'500;
// A tenth of a second's worth of requests may go at once; batches of one vector need it.
constexpr double kBurstRequests = 100;

double BurstRequests(double rate) {
  return rate <= 0 ? 1 : std::clamp(rate / 10, 1.0, kBurstRequests);
}

}  // namespace

Pacer::Pacer(const Options& options, TimePoint now)
    : limit_vectors_per_s_(options.rate_vectors_per_s),
      limit_requests_per_s_(options.rate_requests_per_s),
      vectors_(options.rate_vectors_per_s, options.burst_vectors, now),
      requests_(options.rate_requests_per_s, BurstRequests(options.rate_requests_per_s), now),
      started_(now),
      last_cut_(now),
      last_step_(now) {}

TimePoint Pacer::ReadyAt(double vectors, TimePoint now) {
  Recover(now);
  return std::max(vectors_.ReadyAt(vectors, now), requests_.ReadyAt(1, now));
}

void Pacer::OnSend(double vectors, TimePoint now) {
  vectors_.Take(vectors, now);
  requests_.Take(1, now);
  vectors_sent_ += vectors;
}

void Pacer::OnThrottled(TimePoint now) {
  Recover(now);
  if (reduced_ && now - last_cut_ < std::chrono::seconds(1)) return;
  if (limit_vectors_per_s_ <= 0) {
    const double measured = vectors_sent_ / std::max(1.0, Seconds(now - started_));
    limit_vectors_per_s_ = std::max(measured, kDocumentedVectorsPerS);
    vectors_.SetRate(limit_vectors_per_s_, now);
  }
  const double floor = kRateFloor * limit_vectors_per_s_;
  vectors_.SetRate(std::max(floor, kDecrease * vectors_.rate_per_s()), now);
  // Throttling by requests cannot be told from throttling by vectors, so both give way.
  if (limit_requests_per_s_ > 0) {
    const double share = vectors_.rate_per_s() / limit_vectors_per_s_;
    requests_.SetRate(share * limit_requests_per_s_, now);
  }
  reduced_ = true;
  last_cut_ = last_step_ = now;
}

void Pacer::Recover(TimePoint now) {
  if (!reduced_) return;
  if (now < last_step_ - kClockJumpMin) last_cut_ = last_step_ = now;
  const auto steps = (now - last_step_) / std::chrono::seconds(1);
  if (steps <= 0) return;
  const double step = kIncreasePerS * limit_vectors_per_s_;
  const double rate =
      std::min(limit_vectors_per_s_, vectors_.rate_per_s() + static_cast<double>(steps) * step);
  vectors_.SetRate(rate, now);
  if (limit_requests_per_s_ > 0) {
    requests_.SetRate(rate / limit_vectors_per_s_ * limit_requests_per_s_, now);
  }
  last_step_ += steps * std::chrono::seconds(1);
  reduced_ = rate < limit_vectors_per_s_;
}

}  // namespace vecload::pace
