#include "observe/timeline.h"

#include <algorithm>

#include "base/json_text.h"

namespace vecload::observe {
namespace {

// A little more often than progress comes; what comes a little early is not to wait for the next.
constexpr double kLateS = 0.1;

TimelinePoint PointOf(const JobProgress& progress) {
  return {.elapsed_s = progress.elapsed_s,
          .vectors_per_s = progress.vectors_per_s,
          .rate_vectors_per_s = progress.rate_vectors_per_s,
          .limit_vectors_per_s = progress.limit_vectors_per_s,
          .latency_ms = progress.latency_ms,
          .in_flight = progress.in_flight,
          .throttled = progress.throttled,
          .rejected = progress.vectors_rejected,
          .bottleneck = progress.bottleneck};
}

}  // namespace

void Timeline::Add(const JobProgress& progress) {
  latest_ = PointOf(progress);
  if (!points_.empty() && latest_->elapsed_s - points_.back().elapsed_s < apart_s_) return;
  points_.push_back(*latest_);
  if (points_.size() < points_max_) return;
  size_t kept = 0;
  for (size_t i = 0; i < points_.size(); i += 2) points_[kept++] = points_[i];
  points_.resize(kept);
  const double apart_s =
      (points_.back().elapsed_s - points_.front().elapsed_s) / static_cast<double>(kept - 1);
  apart_s_ = std::max(kApartMinS, apart_s - kLateS);
}

std::vector<TimelinePoint> Timeline::points() const {
  std::vector<TimelinePoint> points = points_;
  if (latest_.has_value() && latest_->elapsed_s > points.back().elapsed_s) {
    points.push_back(*latest_);
  }
  return points;
}

std::string Timeline::Json() const {
  JsonWriter json;
  const auto number = [&json](std::string_view key, double value) { json.Key(key).Rounded(value); };
  json.BeginArray();
  for (const TimelinePoint& point : points()) {
    json.BeginObject();
    number("elapsed_s", point.elapsed_s);
    number("vectors_per_s", point.vectors_per_s);
    number("rate_vectors_per_s", point.rate_vectors_per_s);
    number("limit_vectors_per_s", point.limit_vectors_per_s);
    number("p50", point.latency_ms.p50);
    number("p95", point.latency_ms.p95);
    number("p99", point.latency_ms.p99);
    json.Key("in_flight").Uint(point.in_flight);
    json.Key("throttled").Uint(point.throttled);
    json.Key("rejected").Uint(point.rejected);
    json.Key("bottleneck").String(BottleneckName(point.bottleneck)).EndObject();
  }
  return json.EndArray().Take();
}

}  // namespace vecload::observe
