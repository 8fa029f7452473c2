#include "server/latency.h"

#include <algorithm>

namespace vecload::server {
namespace {

// Whatever the model says, an answer comes.
constexpr double kLatencyMsMax = 60'000;

}  // namespace

Duration Latency::Next(size_t data_bytes) {
  const std::lock_guard lock(mutex_);
  const double megabytes = static_cast<double>(data_bytes) / 1e6;
  const double least_ms = model_.latency_ms + model_.latency_ms_per_mb * megabytes;
  const double drawn_ms = least_ms * (1 + model_.latency_spread * random_.Uniform());
  return FromSeconds(std::min(drawn_ms, kLatencyMsMax) / 1000);
}

void Latency::SetModel(const ServiceModel& model) {
  const std::lock_guard lock(mutex_);
  model_ = model;
}

}  // namespace vecload::server
