// Goal: the limits let through what they say and no more, for requests of any size, and a burst
// once. Method: offers at an even pace in simulated time; what is let through is counted.

#include "server/throttle.h"

#include <gtest/gtest.h>

#include "vecload/server.h"

namespace vecload::server {
namespace {

using std::chrono::seconds;

constexpr char kIndex[] = "arn:index";

Throttle::Limits AwsLimits() {
  const ServiceModel aws = ServiceModel::Aws();
  return {aws.rate_vectors_per_s, aws.rate_requests_per_s, aws.burst_s};
}

class ThrottleTest : public testing::Test {
 protected:
  // Offers `rate` vectors/s in requests of `vectors` for so long; how many vectors were let
  // through.
  size_t Offer(Throttle* throttle, double rate, size_t vectors, Duration time) {
    const Duration pause = FromSeconds(static_cast<double>(vectors) / rate);
    size_t passed = 0;
    for (Duration spent{}; spent < time; spent += pause) {
      if (throttle->Admit(kIndex, vectors)) passed += vectors;
      clock_.Advance(pause);
    }
    return passed;
  }

  ManualClock clock_;
};

TEST_F(ThrottleTest, AfterTheBurstTwiceTheLimitIsCutToTheLimit) {
  for (const size_t vectors : {500, 333, 100, 7}) {
    Throttle throttle(AwsLimits(), clock_);
    // The burst of 37,500 lasts 15 s at twice the limit.
    const size_t first = Offer(&throttle, 5000, vectors, seconds(15));
    EXPECT_NEAR(static_cast<double>(first), 75'000, 1000) << vectors;
    const size_t later = Offer(&throttle, 5000, vectors, seconds(200));
    EXPECT_NEAR(static_cast<double>(later) / 200, 2500, 25) << vectors;
  }
}

TEST_F(ThrottleTest, AtTheLimitNothingIsRefused) {
  Throttle throttle(AwsLimits(), clock_);
  EXPECT_NEAR(static_cast<double>(Offer(&throttle, 2500, 500, seconds(600))), 1'500'000, 500);
}

TEST_F(ThrottleTest, SmallRequestsMeetTheOtherLimit) {
  Throttle throttle(AwsLimits(), clock_);
  const size_t first = Offer(&throttle, 2000, 1, seconds(15));
  EXPECT_NEAR(static_cast<double>(first), 30'000, 10);
  EXPECT_NEAR(static_cast<double>(Offer(&throttle, 2000, 1, seconds(100))) / 100, 1000, 10);
}

TEST_F(ThrottleTest, TheObservedOverloadLetsThroughWhatWasObserved) {
  Throttle throttle(AwsLimits(), clock_);
  // 200,000 vectors at 18,078/s: 63,800 were seen to pass.
  const size_t passed = Offer(&throttle, 18'078, 500, FromSeconds(200'000 / 18'078.0));
  EXPECT_NEAR(static_cast<double>(passed), 63'800, 0.03 * 63'800);
}

TEST_F(ThrottleTest, ARestBringsTheBurstBack) {
  Throttle throttle(AwsLimits(), clock_);
  int passed = 0;
  while (throttle.Admit(kIndex, 500)) ++passed;
  EXPECT_EQ(passed, 75);
  EXPECT_TRUE(throttle.Admit("arn:other", 500)) << "each index has its own";
  clock_.Advance(seconds(100));
  EXPECT_GE(Offer(&throttle, 50'000, 500, seconds(1)), 37'500U);
}

TEST_F(ThrottleTest, LimitsMayChangeAndAFullRequestAlwaysPassesInTheEnd) {
  Throttle throttle({}, clock_);
  EXPECT_EQ(Offer(&throttle, 1e6, 500, seconds(1)), 1'000'000U) << "no limits";
  throttle.SetLimits({.vectors_per_s = 10});
  EXPECT_TRUE(throttle.Admit(kIndex, 500));
  EXPECT_FALSE(throttle.Admit(kIndex, 1));
  clock_.Advance(seconds(50));
  EXPECT_TRUE(throttle.Admit(kIndex, 500));
  throttle.SetLimits({.vectors_per_s = 1000});
  EXPECT_TRUE(throttle.Admit(kIndex, 500)) << "with a new burst";
}

}  // namespace
}  // namespace vecload::server
