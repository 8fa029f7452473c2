#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace vecload::observe {

// Counts latencies in buckets whose bounds grow by 2 %, from 10 us to beyond an hour: percentiles
// within 2 % from a fixed amount of memory. Not thread-safe.
class LatencyHistogram {
 public:
  void Add(Duration latency);
  // The latency that `share` (0 to 1) of all do not exceed, in ms; 0 where there are none.
  [[nodiscard]] double PercentileMs(double share) const;
  // Of those that were added since this was `earlier`.
  [[nodiscard]] LatencyHistogram Since(const LatencyHistogram& earlier) const;
  [[nodiscard]] uint64_t count() const { return count_; }

 private:
  static constexpr size_t kBuckets = 1024;
  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
};

}  // namespace vecload::observe
