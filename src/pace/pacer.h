#pragma once

#include "base/clock.h"
#include "pace/token_bucket.h"

namespace vecload::pace {

// One index's pace: both of the service's limits, and what its 429s teach.
class Pacer {
 public:
  struct Options {
    double rate_vectors_per_s = 0;   // 0: unlimited
    double rate_requests_per_s = 0;  // 0: unlimited
    double burst_vectors = 500;      // one full batch: no more at once than a single request may
  };
  Pacer(const Options& options, TimePoint now);

  // The earliest time, not before `now`, at which a request of that many vectors may go.
  [[nodiscard]] TimePoint ReadyAt(double vectors, TimePoint now);
  void OnSend(double vectors, TimePoint now);
  // A 429 or 503: cut to kDecrease of the present rate, once a second at most, since the answers
  // to all that is in flight tell of one and the same overload. An unlimited pacer first takes
  // the rate that it measured, or where it has sent too little, the documented limit.
  void OnThrottled(TimePoint now);

  // Vectors/s that are allowed now; 0: unlimited.
  [[nodiscard]] double rate_vectors_per_s() const { return vectors_.rate_per_s(); }

  static constexpr double kDecrease = 0.7;
  static constexpr double kIncreasePerS = 0.05;  // of the configured limit
  static constexpr double kRateFloor = 0.01;     // of the configured limit

 private:
  void Recover(TimePoint now);

  double limit_vectors_per_s_;
  double limit_requests_per_s_;
  TokenBucket vectors_;
  TokenBucket requests_;
  TimePoint started_;
  double vectors_sent_ = 0;
  TimePoint last_cut_;
  TimePoint last_step_;
  bool reduced_ = false;
};

}  // namespace vecload::pace
