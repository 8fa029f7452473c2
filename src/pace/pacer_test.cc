// Goal: the law of docs/internals/pacing.md holds: never above the limit, never below the floor,
// back within a known time, rarely throttled, and beyond the limit only where that is asked for and
// taken. Method: made-up times for each rule, then whole hours against a service in memory
// (testing_service.h), with limits, credit, latency and batches drawn from a seed.
#include "pace/pacer.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"
#include "pace/testing_service.h"

namespace vecload::pace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Outcome;
using testing::Service;
using testing::Simulation;

constexpr TimePoint kStart{seconds(1000)};
constexpr Pacer::Options kPlain{.rate_vectors_per_s = 2'500, .rate_requests_per_s = 1'000};
constexpr Pacer::Options kAuto{
    .rate_vectors_per_s = 2'500, .rate_requests_per_s = 1'000, .beyond_limit = true};

// Sends as fast as the pacer allows for `duration`; returns the vectors sent.
double SendFor(Pacer* pacer, double batch, TimePoint begin, Duration duration) {
  double sent = 0;
  TimePoint now = begin;
  while (true) {
    now = pacer->ReadyAt(batch, now);
    if (now >= begin + duration) return sent;
    pacer->OnSend(batch, now);
    sent += batch;
  }
}

double RateAt(Pacer* pacer, TimePoint now) {
  (void)pacer->ReadyAt(1, now);
  return pacer->rate_vectors_per_s();
}

// A request that was sent just then, and throttled at once.
void Throttle(Pacer* pacer, TimePoint now) { pacer->OnThrottled(now, now); }

TEST(Pacer, KeepsBothLimits) {
  Pacer large(kPlain, kStart);
  EXPECT_NEAR(SendFor(&large, 500, kStart, seconds(60)), 150'000, 1'000);
  Pacer small(kPlain, kStart);
  // Two vectors a request: 1,000 requests/s bind before 2,500 vectors/s do.
  EXPECT_NEAR(SendFor(&small, 2, kStart, seconds(60)), 120'000, 1'000);
}

TEST(Pacer, FallsRestsAndClimbsBackToTheLimitAndNoFurther) {
  Pacer pacer({.rate_vectors_per_s = 1'000}, kStart);
  Throttle(&pacer, kStart);
  EXPECT_DOUBLE_EQ(pacer.rate_vectors_per_s(), 700);
  EXPECT_DOUBLE_EQ(RateAt(&pacer, kStart + milliseconds(4'999)), 700);
  EXPECT_DOUBLE_EQ(RateAt(&pacer, kStart + seconds(5)), 750);
  EXPECT_DOUBLE_EQ(RateAt(&pacer, kStart + seconds(6)), 800);
  EXPECT_DOUBLE_EQ(RateAt(&pacer, kStart + seconds(9)), 950);
  EXPECT_DOUBLE_EQ(RateAt(&pacer, kStart + seconds(10)), 1'000);
  EXPECT_DOUBLE_EQ(RateAt(&pacer, kStart + seconds(1'000)), 1'000);
}

TEST(Pacer, AThrottledTrialGoesBackAndTheNextIsLaterAndHalfAsFar) {
  Pacer pacer({.rate_vectors_per_s = 1'000}, kStart);
  Throttle(&pacer, kStart);
  ASSERT_DOUBLE_EQ(RateAt(&pacer, kStart + seconds(8)), 900);
  const TimePoint again = kStart + seconds(8);
  Throttle(&pacer, again);
  EXPECT_DOUBLE_EQ(pacer.rate_vectors_per_s(), 700);
  EXPECT_DOUBLE_EQ(RateAt(&pacer, again + seconds(9)), 700) << "a rest twice as long";
  EXPECT_DOUBLE_EQ(RateAt(&pacer, again + seconds(12)), 800) << "half way to what was refused";
  EXPECT_DOUBLE_EQ(RateAt(&pacer, again + seconds(20)), 800) << "which is kept for as long";
  EXPECT_DOUBLE_EQ(RateAt(&pacer, again + seconds(21)), 760) << "and is good, with a margin";
  EXPECT_DOUBLE_EQ(RateAt(&pacer, again + seconds(26)), 1'000);
}

TEST(Pacer, AnswersToWhatWasSentBeforeACutTellNothingNew) {
  Pacer pacer({.rate_vectors_per_s = 1'000}, kStart);
  Throttle(&pacer, kStart);
  pacer.OnThrottled(kStart - milliseconds(1), kStart + seconds(2));
  pacer.OnThrottled(kStart + milliseconds(999), kStart + milliseconds(2'400));
  EXPECT_DOUBLE_EQ(pacer.rate_vectors_per_s(), 700);
  pacer.OnThrottled(kStart + seconds(1), kStart + milliseconds(2'500));
  EXPECT_DOUBLE_EQ(pacer.rate_vectors_per_s(), 490);
}

TEST(Pacer, NeverFallsToNothing) {
  Pacer pacer({.rate_vectors_per_s = 1'000}, kStart);
  for (int i = 0; i < 100; ++i) Throttle(&pacer, kStart + seconds(i));
  EXPECT_DOUBLE_EQ(pacer.rate_vectors_per_s(), 10);
}

TEST(Pacer, UnlimitedLearnsALimitFromA429) {
  Pacer pacer({}, kStart);
  for (int i = 0; i < 200; ++i) pacer.OnSend(500, kStart + milliseconds(50 * i));
  EXPECT_DOUBLE_EQ(RateAt(&pacer, kStart + seconds(10)), 0);
  Throttle(&pacer, kStart + seconds(10));
  EXPECT_DOUBLE_EQ(pacer.rate_vectors_per_s(), 7'000);
  EXPECT_DOUBLE_EQ(RateAt(&pacer, kStart + seconds(100)), 10'000);
}

TEST(Pacer, RequestsGiveWayBelowTheLimitAndStayBeyondIt) {
  Pacer below(kPlain, kStart);
  Throttle(&below, kStart);
  // One vector a request: 70 % of 1,000 requests/s, while it rests.
  EXPECT_NEAR(SendFor(&below, 1, kStart, seconds(4)), 2'800, 101);
  Pacer beyond(kAuto, kStart);
  SendFor(&beyond, 500, kStart, seconds(300));
  ASSERT_GT(beyond.rate_vectors_per_s(), 5'000);
  EXPECT_NEAR(SendFor(&beyond, 1, kStart + seconds(300), seconds(10)), 10'000, 101);
}

TEST(Pacer, GoesBeyondTheLimitOnlyWhatIsUsedOfIt) {
  Pacer idle(kAuto, kStart);
  EXPECT_DOUBLE_EQ(RateAt(&idle, kStart + seconds(3'600)), 2'500);
  Pacer slow(kAuto, kStart);
  for (int i = 0; i < 1'000; ++i) slow.OnSend(500, kStart + milliseconds(333 * i));
  EXPECT_DOUBLE_EQ(slow.rate_vectors_per_s(), 2'500) << "1,500 vectors/s prove nothing of more";
  Pacer small(kAuto, kStart);
  SendFor(&small, 2, kStart, seconds(300));
  EXPECT_LE(small.rate_vectors_per_s(), 2'800) << "requests are the limit, at 2,000 vectors/s";
  Pacer part({.rate_vectors_per_s = 100, .beyond_limit = true}, kStart);
  SendFor(&part, 500, kStart, seconds(300));
  EXPECT_GT(part.rate_vectors_per_s(), 400) << "a batch in five seconds is use enough";
}

TEST(Pacer, AClockThatJumpsBackDoesNoHarm) {
  for (const Pacer::Options& options : {kPlain, kAuto}) {
    Pacer pacer(options, kStart);
    SendFor(&pacer, 500, kStart, seconds(10));
    Throttle(&pacer, kStart + seconds(10));
    const TimePoint earlier = kStart - seconds(500);
    EXPECT_DOUBLE_EQ(RateAt(&pacer, earlier), 1'750);
    EXPECT_NEAR(SendFor(&pacer, 500, earlier, seconds(4)), 7'000, 500) << "no wait, no burst";
    Throttle(&pacer, earlier + seconds(4));
    EXPECT_DOUBLE_EQ(pacer.rate_vectors_per_s(), 1'225);
    EXPECT_DOUBLE_EQ(RateAt(&pacer, earlier + seconds(60)), 2'500);
  }
}

// Any throttling at any time: in each window of time, what is sent stays below rate x time + burst.
TEST(Pacer, PropertyStaysBetweenFloorAndLimit) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const double limit = 100 + static_cast<double>(random.Below(5'000));
    const double batch = 1 + static_cast<double>(random.Below(500));
    const double throttled = random.Uniform() * random.Uniform();
    Pacer pacer({.rate_vectors_per_s = limit, .burst_vectors = 500}, kStart);
    TimePoint now = kStart;
    double sent = 0;
    double least_excess = 0;  // of what was sent before any moment over what the rate allows
    for (int i = 0; i < 500; ++i) {
      now = std::max(pacer.ReadyAt(batch, now), now + Duration(random.Below(200'000'000)));
      const double allowed = limit * Seconds(now - kStart);
      least_excess = std::min(least_excess, sent - allowed);
      pacer.OnSend(batch, now);
      sent += batch;
      ASSERT_LE(sent - allowed - least_excess, 500 + batch * 1e-9 + 1e-3);
      if (random.Uniform() < throttled) {
        pacer.OnThrottled(now - Duration(random.Below(2'000'000'000)), now);
      }
      ASSERT_LE(pacer.rate_vectors_per_s(), limit);
      ASSERT_GE(pacer.rate_vectors_per_s(), Pacer::kRateFloor * limit);
    }
    // Rest, half-way trial, its rest, the climb: whatever was learned before.
    EXPECT_DOUBLE_EQ(RateAt(&pacer, now + seconds(2 * Pacer::kRestMaxS + 25)), limit);
  }
}

TEST(PacerScenario, SteadyAtTheLimitNothingIsThrottled) {
  const Outcome run = Simulation(kPlain, {.credit_vectors = 500}).Send(3'600);
  EXPECT_EQ(run.throttled, 0U);
  EXPECT_NEAR(run.MeanAccepted(10, 3'600), 2'500, 5);
}

TEST(PacerScenario, AfterAStormOf30SecondsTheLimitIsReachedWithin40) {
  for (const Pacer::Options& options : {kPlain, kAuto}) {
    const Service service{.storm = [](double t_s) { return t_s >= 60 && t_s < 90; }};
    const Outcome run = Simulation(options, service).Send(150);
    EXPECT_LE(run.throttled, 35U) << "of 150 that the limit would have let into it";
    EXPECT_GE(run.samples[130].rate, 2'500);
    EXPECT_GE(run.MeanAccepted(132, 150), 2'400);
  }
}

TEST(PacerScenario, ASharedLimitIsUsedAndFoundAgainWhenTheOtherLeaves) {
  const Service service{
      .taken_by_other = [](double t_s) -> double { return t_s >= 100 && t_s < 1'000 ? 1'250 : 0; }};
  const Outcome run = Simulation(kPlain, service).Send(1'300);
  EXPECT_GE(run.MeanAccepted(300, 1'000), 0.9 * 1'250);
  EXPECT_LE(run.Throttled(300, 1'000), 0.01 * 700 * 1'250 / 500);
  EXPECT_NEAR(run.MeanAccepted(1'145, 1'300), 2'500, 25);
}

TEST(PacerScenario, AutoComesBackFromCreditAndTriesEverMoreRarely) {
  const Outcome run = Simulation(kAuto, {.credit_vectors = 120'000}).Send(4 * 3'600);
  EXPECT_GE(run.MeanAccepted(0, 60), 3'500) << "the credit is there to be used";
  EXPECT_GE(run.MeanAccepted(600, 14'400), 0.99 * 2'500);
  EXPECT_LE(run.throttled_share(), 0.001);
  EXPECT_LE(run.Throttled(7'200, 14'400), 5) << "two trials in two hours";
}

TEST(PacerScenario, AutoFindsTwiceTheLimit) {
  const Outcome run = Simulation(kAuto, {.rate_vectors_per_s = 5'000}).Send(3'600);
  EXPECT_GE(run.MeanAccepted(60, 600), 0.8 * 5'000);
  EXPECT_GE(run.MeanAccepted(600, 3'600), 0.9 * 5'000);
  EXPECT_LE(run.throttled_share(), 0.001);
}

// The worst cases that docs/internals/pacing.md states.
TEST(PacerScenario, PropertyRarelyThrottledAndNeverStarved) {
  constexpr int kLatencies[] = {20, 400, 1'500};
  for (uint64_t seed = 0; seed < 15; ++seed) {
    Random random(seed);
    const double limit = 1'000 * std::pow(20, random.Uniform());
    const Service service{.rate_vectors_per_s = limit,
                          .credit_vectors = 2'500 * std::pow(48, random.Uniform()),
                          .latency = milliseconds(kLatencies[random.Below(3)])};
    const double batch = 25 * std::pow(20, random.Uniform());
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ": limit " << limit << ", credit "
                                      << service.credit_vectors << ", batch " << batch);
    const Outcome plain = Simulation(kPlain, service, batch).Send(3'600);
    EXPECT_LE(plain.throttled_share(), limit >= 2'500 ? 0 : 0.025);
    EXPECT_GE(plain.MeanAccepted(600, 3'600), 0.9 * std::min(limit, 2'500.0));
    const Outcome beyond = Simulation(kAuto, service, batch).Send(3'600);
    EXPECT_LE(beyond.throttled_share(), limit >= 2'500 ? 0.005 : 0.025);
    EXPECT_GE(beyond.MeanAccepted(600, 3'600), std::min(2'450.0, 0.9 * limit));
  }
}

}  // namespace
}  // namespace vecload::pace
