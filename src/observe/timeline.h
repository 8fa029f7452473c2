#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vecload/job.h"

namespace vecload::observe {

// What a job was like at one time.
struct TimelinePoint {
  double elapsed_s = 0;
  double vectors_per_s = 0;
  double rate_vectors_per_s = 0;
  double limit_vectors_per_s = 0;
  LatencyMs latency_ms;
  uint32_t in_flight = 0;
  uint64_t throttled = 0;  // since the begin
  uint64_t rejected = 0;   // since the begin
  Bottleneck bottleneck = Bottleneck::kServiceLimit;
};

// The course of a job in a bounded number of points, however long it takes: when there are too
// many, every second one goes, and from then on half as many come. Not thread-safe.
class Timeline {
 public:
  explicit Timeline(size_t points_max = kPointsMax) : points_max_(points_max) {}
  void Add(const JobProgress& progress);
  // In order, the latest progress last, however close it is to the one before.
  [[nodiscard]] std::vector<TimelinePoint> points() const;
  // As a JSON array of objects with the points' names; the latencies are p50, p95 and p99.
  [[nodiscard]] std::string Json() const;

  static constexpr size_t kPointsMax = 600;

 private:
  static constexpr double kApartMinS = 0.4;  // progress comes twice a second

  size_t points_max_;
  std::vector<TimelinePoint> points_;
  double apart_s_ = kApartMinS;  // between two points at least
  std::optional<TimelinePoint> latest_;
};

}  // namespace vecload::observe
