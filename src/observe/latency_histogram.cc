#include "observe/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace vecload::observe {
namespace {

constexpr double kFirstMs = 0.01;
const double kLogGrowth = std::log(1.02);

}  // namespace

void LatencyHistogram::Add(Duration latency) {
  const double ms = std::max(kFirstMs, Seconds(latency) * 1e3);
  const auto bucket = static_cast<size_t>(std::log(ms / kFirstMs) / kLogGrowth);
  ++buckets_[std::min(bucket, kBuckets - 1)];
  ++count_;
}

double LatencyHistogram::PercentileMs(double share) const {
  if (count_ == 0) return 0;
  const double rank = std::max(1.0, std::ceil(share * static_cast<double>(count_)));
  double seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += static_cast<double>(buckets_[bucket]);
    // The bucket's middle, so that the error is one per cent either way.
    if (seen >= rank) return kFirstMs * std::exp((static_cast<double>(bucket) + 0.5) * kLogGrowth);
  }
  return 0;
}

LatencyHistogram LatencyHistogram::Since(const LatencyHistogram& earlier) const {
  LatencyHistogram since;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    since.buckets_[bucket] = buckets_[bucket] - earlier.buckets_[bucket];
  }
  since.count_ = count_ - earlier.count_;
  return since;
}

}  // namespace vecload::observe
