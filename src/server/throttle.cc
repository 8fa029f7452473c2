#include "server/throttle.h"

#include <algorithm>

#include "wire/limits.h"

namespace vecload::server {

bool Throttle::Admit(const std::string& index_arn, size_t vectors) {
  const std::lock_guard lock(mutex_);
  // Read here, so that the buckets see times in order.
  const TimePoint now = clock_.Now();
  if (limits_.vectors_per_s <= 0 && limits_.requests_per_s <= 0) return true;
  // A full request must pass at any rate, if the index was left alone for long enough.
  const double burst_vectors =
      std::max(limits_.vectors_per_s * limits_.burst_s, static_cast<double>(wire::kPutVectorsMax));
  const double burst_requests = std::max(limits_.requests_per_s * limits_.burst_s, 1.0);
  Buckets& buckets =
      buckets_
          .try_emplace(index_arn,
                       Buckets{pace::TokenBucket(limits_.vectors_per_s, burst_vectors, now),
                               pace::TokenBucket(limits_.requests_per_s, burst_requests, now)})
          .first->second;
  if (buckets.requests.ReadyAt(1, now) > now) return false;
  if (!buckets.vectors.TryTake(static_cast<double>(vectors), now)) return false;
  buckets.requests.Take(1, now);
  return true;
}

void Throttle::SetLimits(const Limits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
  buckets_.clear();
}

void Throttle::Forget(const std::string& index_arn) {
  const std::lock_guard lock(mutex_);
  buckets_.erase(index_arn);
}

}  // namespace vecload::server
