#include "pace/concurrency.h"

#include <algorithm>
#include <cmath>

namespace vecload::pace {
namespace {

constexpr double kSmoothing = 0.1;
constexpr double kHeadroom = 1.25;
constexpr double kSpare = 2;

}  // namespace

void ConcurrencyLimit::OnAnswer(Duration latency, double requests_per_s, uint32_t in_flight) {
  const double latency_s = std::max(1e-6, Seconds(latency));
  latency_s_ = latency_s_ == 0 ? latency_s : latency_s_ + kSmoothing * (latency_s - latency_s_);
  latency_floor_s_ = latency_floor_s_ == 0 ? latency_s : std::min(latency_s, latency_floor_s_);
  if (requests_per_s > 0) {
    FollowRate(requests_per_s);
  } else {
    FollowQueue(latency_s_, in_flight);
  }
}

void ConcurrencyLimit::FollowRate(double requests_per_s) {
  const double wanted = std::ceil(kHeadroom * requests_per_s * latency_s_) + kSpare;
  limit_ = static_cast<uint32_t>(std::clamp(wanted, 1.0, static_cast<double>(in_flight_max_)));
}

void ConcurrencyLimit::FollowQueue(double latency_s, uint32_t in_flight) {
  // One change a round trip: the answers of one window all tell of the same limit.
  if (--answers_to_change_ > 0) return;
  const double queued = limit_ * (1 - latency_floor_s_ / latency_s);
  // A limit that was not reached says nothing about a higher one.
  const bool was_used = in_flight + 1 >= limit_;
  if (queued < kQueueLow && was_used) {
    limit_ = std::min(limit_ + 1, in_flight_max_);
  } else if (queued > kQueueHigh) {
    limit_ = std::max(limit_ - 1, std::min(2U, in_flight_max_));
  }
  answers_to_change_ = limit_;
}

}  // namespace vecload::pace
