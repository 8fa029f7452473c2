#include "pace/pacer.h"

#include <algorithm>
#include <limits>

namespace vecload::pace {
namespace {

// The documented limit per index; where an unlimited pacer starts from when it is throttled.
constexpr double kDocumentedVectorsPerS = 2'500;
// A tenth of a second's worth of requests may go at once; batches of one vector need it.
constexpr double kBurstRequests = 100;
// Of the seconds that the use of the rate is smoothed over, what the last one counts: a batch in
// two seconds is use enough.
constexpr double kUseSmoothing = 0.2;

double BurstRequests(double rate) {
  return rate <= 0 ? 1 : std::clamp(rate / 10, 1.0, kBurstRequests);
}

}  // namespace

Pacer::Pacer(const Options& options, TimePoint now)
    : limit_vectors_per_s_(options.rate_vectors_per_s),
      limit_requests_per_s_(options.rate_requests_per_s),
      beyond_limit_(options.beyond_limit),
      vectors_(options.rate_vectors_per_s, options.burst_vectors, now),
      requests_(options.rate_requests_per_s, BurstRequests(options.rate_requests_per_s), now),
      started_(now),
      good_(options.rate_vectors_per_s),
      second_began_(now),
      last_cut_(now) {}

TimePoint Pacer::ReadyAt(double vectors, TimePoint now) {
  PassTime(now);
  return std::max(vectors_.ReadyAt(vectors, now), requests_.ReadyAt(1, now));
}

void Pacer::OnSend(double vectors, TimePoint now) {
  PassTime(now);
  vectors_.Take(vectors, now);
  requests_.Take(1, now);
  vectors_sent_ += vectors;
  sent_in_second_ += vectors;
}

void Pacer::OnThrottled(TimePoint sent, TimePoint now) {
  PassTime(now);
  if (was_cut_ && sent < last_cut_ + kSettle) return;
  if (limit_vectors_per_s_ <= 0) {
    const double measured = vectors_sent_ / std::max(1.0, Seconds(now - started_));
    limit_vectors_per_s_ = good_ = std::max(measured, kDocumentedVectorsPerS);
    SetRate(good_, now);
  }
  const double rate = vectors_.rate_per_s();
  const bool on_trial = rate > good_;
  if (rate > limit_vectors_per_s_) {
    // A good rate that was not kept for its rest was a service's credit, and fails like a trial.
    const bool failed = on_trial || kept_s_ < rest_beyond_s_;
    rest_beyond_s_ = failed ? std::min(2 * rest_beyond_s_, kRestBeyondMaxS) : kRestBeyondMinS;
    if (!on_trial) good_ = std::max(limit_vectors_per_s_, kDecrease * good_);
    refused_ = rate;
  } else if (on_trial) {
    rest_s_ = std::min(2 * rest_s_, kRestMaxS);
    refused_ = rate;
  } else {
    // What was known is no more: the service has less to give, or has a bad moment.
    good_ = std::max(kRateFloor * limit_vectors_per_s_, kDecrease * good_);
    refused_ = 0;
  }
  if (refused_ - good_ < kNarrow * good_) refused_ = 0;
  SetRate(good_, now);
  kept_s_ = 0;
  was_cut_ = true;
  last_cut_ = second_began_ = now;
}

void Pacer::PassTime(TimePoint now) {
  if (now < second_began_) {
    // A clock that jumped back: what it counted stays, the second begins anew.
    second_began_ = now;
    last_cut_ = std::min(last_cut_, now);
  }
  while (now - second_began_ >= std::chrono::seconds(1)) {
    second_began_ += std::chrono::seconds(1);
    PassSecond();
  }
}

// A second without a throttle.
void Pacer::PassSecond() {
  used_per_s_ += kUseSmoothing * (sent_in_second_ - used_per_s_);
  sent_in_second_ = 0;
  const double rate = vectors_.rate_per_s();
  const bool at_limit = good_ >= limit_vectors_per_s_;
  if (at_limit && (!beyond_limit_ || used_per_s_ < kUsedShare * rate)) return;
  const int rest_s = at_limit ? rest_beyond_s_ : rest_s_;
  ++kept_s_;
  if (rate == good_ && kept_s_ < rest_s) return;
  const double aim = Aim();
  if (rate < aim) {
    SetRate(std::min(aim, rate + kIncreasePerS * limit_vectors_per_s_), second_began_);
    kept_s_ = 0;
  } else if (kept_s_ >= rest_s) {
    // Kept for as long as it takes; from here on the next trial may begin.
    good_ = rate == limit_vectors_per_s_ ? rate : std::max(good_, kMargin * rate);
    if (good_ == limit_vectors_per_s_) rest_s_ = kRestMinS;
    refused_ = 0;
    SetRate(good_, second_began_);
  }
}

// How far a trial goes.
double Pacer::Aim() const {
  const bool at_limit = good_ >= limit_vectors_per_s_;
  const double most = at_limit ? std::numeric_limits<double>::infinity() : limit_vectors_per_s_;
  return refused_ > 0 ? std::min(most, good_ + (refused_ - good_) / 2) : most;
}

void Pacer::SetRate(double rate, TimePoint now) {
  vectors_.SetRate(rate, now);
  // Throttling by requests cannot be told from throttling by vectors, so below the limit both give
  // way. Beyond it one thing is tried at a time.
  if (limit_requests_per_s_ > 0) {
    requests_.SetRate(std::min(1.0, rate / limit_vectors_per_s_) * limit_requests_per_s_, now);
  }
}

}  // namespace vecload::pace
