#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "vecload/job.h"

namespace vecload::observe {

// A running job as Prometheus sees it: the latest JobProgress in the text format 0.0.4. What each
// metric means is in docs/reference/metrics.md. Thread-safe.
class JobMetrics {
 public:
  // `index` is "BUCKET/INDEX".
  JobMetrics(JobKind kind, std::string index) : kind_(kind), index_(std::move(index)) {}
  void Update(const JobProgress& progress);
  // Zeros until the first Update.
  [[nodiscard]] std::string Text() const;

  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  JobKind kind_;
  std::string index_;
  mutable std::mutex mutex_;
  JobProgress latest_;
};

}  // namespace vecload::observe
