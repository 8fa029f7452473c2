#pragma once

#include "base/clock.h"
#include "pace/token_bucket.h"

namespace vecload::pace {

// One index's pace: both of the service's limits, and what its 429s teach. The law, its reasons and
// its figures: docs/internals/pacing.md.
//
// The rate rests at one that is known to be good. After a rest it is tried higher, second by
// second, and what was kept for as long as the rest is the new good rate. A throttled trial goes
// back to the good rate, makes the next rest twice as long, and the next trial half as far. A rate
// that was thought good and is throttled falls to kDecrease of itself.
class Pacer {
 public:
  struct Options {
    double rate_vectors_per_s = 0;   // 0: unlimited
    double rate_requests_per_s = 0;  // 0: unlimited
    double burst_vectors = 500;      // one full batch at least: a single request may have as many
    // The limit in vectors/s is where the rate rests, and is gone beyond while the service takes
    // it. The limit in requests/s stays.
    bool beyond_limit = false;
  };
  Pacer(const Options& options, TimePoint now);

  // The earliest time, not before `now`, at which a request of that many vectors may go.
  [[nodiscard]] TimePoint ReadyAt(double vectors, TimePoint now);
  void OnSend(double vectors, TimePoint now);
  // A 429 or 503 answered, at `now`, a request that was sent at `sent`. Counts only for what was
  // sent kSettle after the last cut or later: all answers before tell of one and the same
  // overload. An unlimited pacer first takes the rate that it measured, or where it has sent too
  // little, the documented limit.
  void OnThrottled(TimePoint sent, TimePoint now);

  // Vectors/s that are allowed now; 0: unlimited.
  [[nodiscard]] double rate_vectors_per_s() const { return vectors_.rate_per_s(); }

  static constexpr double kDecrease = 0.7;
  static constexpr double kIncreasePerS = 0.05;  // of the limit
  static constexpr double kRateFloor = 0.01;     // of the limit
  // A service that was overrun has no tokens left for what is sent right after a cut.
  static constexpr Duration kSettle = std::chrono::seconds(1);
  static constexpr int kRestMinS = 5;
  static constexpr int kRestMaxS = 60;
  // Beyond the limit, where nothing is owed, trials become far rarer.
  static constexpr int kRestBeyondMinS = 15;
  static constexpr int kRestBeyondMaxS = 3600;
  // Of a rate that was kept, what is taken as good: a little of it may have been credit.
  static constexpr double kMargin = 0.95;
  // A refused rate this close above the good one leaves nothing worth half a step.
  static constexpr double kNarrow = 0.05;
  // A rate beyond the limit of which less is used proves nothing.
  static constexpr double kUsedShare = 0.75;

 private:
  void PassTime(TimePoint now);
  void PassSecond();
  [[nodiscard]] double Aim() const;
  void SetRate(double rate, TimePoint now);

  double limit_vectors_per_s_;
  double limit_requests_per_s_;
  bool beyond_limit_;
  TokenBucket vectors_;
  TokenBucket requests_;
  TimePoint started_;
  double vectors_sent_ = 0;
  double good_;         // the rate that is known to be taken; vectors/s, as the others
  double refused_ = 0;  // the least that was refused above it; 0: none is known
  int rest_s_ = kRestMinS;
  int rest_beyond_s_ = kRestBeyondMinS;
  int kept_s_ = 0;  // for so long the rate has been what it is
  double sent_in_second_ = 0;
  double used_per_s_ = 0;  // vectors sent a second, smoothed
  TimePoint second_began_;
  TimePoint last_cut_;
  bool was_cut_ = false;
};

}  // namespace vecload::pace
