#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pace/pacer.h"
#include "pace/token_bucket.h"

// A service with limits, and a client that always has something to send: what the law of the pace
// is tried on, in tests and in bench/pacing_scenarios.cc.
namespace vecload::pace::testing {

struct Service {
  double rate_vectors_per_s = 2'500;
  double credit_vectors = 5'000;  // of its bucket
  Duration latency = std::chrono::milliseconds(400);
  // Vectors/s that another client takes of the same limit, at seconds since the start.
  std::function<double(double)> taken_by_other = {};
  // Whether all is refused then, whatever the limit.
  std::function<bool(double)> storm = {};
};

struct Sample {
  double t_s = 0;
  double rate = 0;      // what the pacer allows
  double accepted = 0;  // vectors/s in the second before
  int throttled = 0;    // requests in the second before
};

struct Outcome {
  std::vector<Sample> samples;  // one a second
  uint64_t requests = 0;
  uint64_t throttled = 0;

  [[nodiscard]] double throttled_share() const {
    return static_cast<double>(throttled) / static_cast<double>(std::max<uint64_t>(1, requests));
  }
  // Vectors/s accepted in [from_s, to_s).
  [[nodiscard]] double MeanAccepted(size_t from_s, size_t to_s) const {
    double sum = 0;
    for (size_t i = from_s; i < to_s; ++i) sum += samples[i].accepted;
    return sum / static_cast<double>(to_s - from_s);
  }
  [[nodiscard]] int Throttled(size_t from_s, size_t to_s) const {
    int sum = 0;
    for (size_t i = from_s; i < to_s; ++i) sum += samples[i].throttled;
    return sum;
  }
};

// Sends batches for so many seconds, as fast as the pacer allows. What is throttled comes back to a
// client that has other batches ready, so it is counted and not sent again.
class Simulation {
 public:
  Simulation(const Pacer::Options& client, const Service& service, double batch = 500)
      : service_(service),
        batch_(batch),
        pacer_(client, clock_.Now()),
        bucket_(service.rate_vectors_per_s, service.credit_vectors, clock_.Now()) {}

  Outcome Send(int seconds) {
    while (static_cast<int>(outcome_.samples.size()) < seconds) {
      const TimePoint ready = pacer_.ReadyAt(batch_, clock_.Now());
      TimePoint next = TimePoint(std::chrono::seconds(outcome_.samples.size() + 1));
      if (!answers_.empty()) next = std::min(next, answers_.front().at);
      if (ready <= next) {
        AdvanceTo(ready);
        SendOne();
      } else {
        AdvanceTo(next);
        TakeAnswers();
      }
    }
    return outcome_;
  }

  Pacer& pacer() { return pacer_; }

 private:
  struct Answer {
    TimePoint sent;
    TimePoint at;
    bool accepted;
  };

  void AdvanceTo(TimePoint to) {
    clock_.Advance(to - clock_.Now());
    if (to < TimePoint(std::chrono::seconds(outcome_.samples.size() + 1))) return;
    second_.t_s = Seconds(to.time_since_epoch());
    second_.rate = pacer_.rate_vectors_per_s();
    outcome_.samples.push_back(std::exchange(second_, {}));
  }

  void SendOne() {
    const TimePoint now = clock_.Now();
    pacer_.OnSend(batch_, now);
    ++outcome_.requests;
    const TimePoint arrives = now + service_.latency / 2;
    const double t_s = Seconds(arrives.time_since_epoch());
    if (service_.taken_by_other) {
      bucket_.Take(service_.taken_by_other(t_s) * (t_s - other_took_s_), arrives);
      other_took_s_ = t_s;
    }
    const bool accepted =
        !(service_.storm && service_.storm(t_s)) && bucket_.TryTake(batch_, arrives);
    answers_.push_back({now, now + service_.latency, accepted});
  }

  void TakeAnswers() {
    while (!answers_.empty() && answers_.front().at <= clock_.Now()) {
      const Answer answer = answers_.front();
      answers_.pop_front();
      if (answer.accepted) {
        second_.accepted += batch_;
      } else {
        ++outcome_.throttled;
        ++second_.throttled;
        pacer_.OnThrottled(answer.sent, clock_.Now());
      }
    }
  }

  ManualClock clock_;
  Service service_;
  double batch_;
  Pacer pacer_;
  TokenBucket bucket_;
  double other_took_s_ = 0;
  std::deque<Answer> answers_;
  Sample second_;
  Outcome outcome_;
};

}  // namespace vecload::pace::testing
