#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace vecload::pace {

inline constexpr Duration kBackoffBase = std::chrono::milliseconds(100);
inline constexpr Duration kBackoffMax = std::chrono::seconds(20);  // as the AWS SDKs cap it

// The wait before the next try after `failures` (>= 1) in a row: uniform between nothing and the
// capped exponential ("full jitter"), which spreads a crowd of failed requests best.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
inline Duration FullJitter(uint32_t failures, Random* random) {
  const uint32_t doublings = std::min(failures - 1, 16U);
  const Duration ceiling = std::min<Duration>(kBackoffMax, kBackoffBase * (1U << doublings));
  return Duration(static_cast<int64_t>(random->Uniform() * static_cast<double>(ceiling.count())));
}

}  // namespace vecload::pace
