// Goal: token buckets keep their rate, concurrency follows what is learned of latency, and every
// failure has its remedy. Method: times are made up here; whole seconds of sending are run in a
// loop.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "pace/backoff.h"
#include "pace/concurrency.h"
#include "pace/remedy.h"
#include "pace/token_bucket.h"

namespace vecload::pace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};

TEST(TokenBucket, HoldsItsRateForTakingsOfAnySize) {
  for (const double taking : {1.0, 7.0, 500.0, 2'000.0}) {
    TokenBucket bucket(2'500, 500, kStart);
    double taken = 0;
    TimePoint now = kStart;
    while ((now = bucket.ReadyAt(taking, now)) < kStart + seconds(100)) {
      bucket.Take(taking, now);
      taken += taking;
    }
    EXPECT_NEAR(taken, 250'000, 500 + taking) << taking;
    EXPECT_GE(taken, 250'000 - taking);
  }
}

TEST(TokenBucket, NeverExceedsRateTimesTimePlusBurst) {
  TokenBucket bucket(1'000, 100, kStart);
  Random random(5);
  double taken = 0;
  TimePoint now = kStart;
  for (int i = 0; i < 10'000; ++i) {
    now += Duration(random.Below(3'000'000));
    const auto tokens = static_cast<double>(1 + random.Below(100));
    if (bucket.TryTake(tokens, now)) taken += tokens;
    ASSERT_LE(taken, 100 + 1'000 * Seconds(now - kStart) + 1e-6);
  }
  EXPECT_GT(taken, 1'000);
}

TEST(TokenBucket, AClockThatJumpsBackTakesNothingAway) {
  TokenBucket bucket(10, 10, kStart);
  bucket.Take(10, kStart);
  const TimePoint back = kStart - seconds(100);
  EXPECT_EQ(bucket.ReadyAt(5, back), back + milliseconds(500));
  bucket.Take(0, back);
  EXPECT_EQ(bucket.ReadyAt(5, back + milliseconds(500)), back + milliseconds(500));
  EXPECT_GT(bucket.ReadyAt(6, back + milliseconds(500)), back + milliseconds(500));
}

TEST(TokenBucket, TimesALittleOutOfOrderGiveNothing) {
  TokenBucket bucket(1'000, 100, kStart);
  bucket.Take(100, kStart);
  for (int i = 0; i < 1'000; ++i) {
    bucket.Take(0, kStart - milliseconds(500));
    bucket.Take(0, kStart);
  }
  EXPECT_EQ(bucket.ReadyAt(1, kStart), kStart + milliseconds(1));
}

TEST(TokenBucket, UnlimitedIsAlwaysReady) {
  TokenBucket bucket(0, 1, kStart);
  bucket.Take(1e9, kStart);
  EXPECT_EQ(bucket.ReadyAt(1e9, kStart), kStart);
}

TEST(ConcurrencyLimit, FollowsLittlesLawUnderARateLimit) {
  ConcurrencyLimit limit(256);
  for (int i = 0; i < 100; ++i) limit.OnAnswer(milliseconds(1'500), 5, 1);
  EXPECT_EQ(limit.limit(), 12U);  // ceil(1.25 * 5/s * 1.5 s) + 2
  ConcurrencyLimit bounded(4);
  for (int i = 0; i < 100; ++i) bounded.OnAnswer(milliseconds(1'500), 5, 1);
  EXPECT_EQ(bounded.limit(), 4U);
}

TEST(ConcurrencyLimit, WithoutARateGrowsUntilTheServerQueues) {
  // A server that serves 16 at once in 20 ms each; more than that wait their turn.
  ConcurrencyLimit limit(256);
  for (int i = 0; i < 20'000; ++i) {
    const double queueing = std::max(1.0, limit.limit() / 16.0);
    limit.OnAnswer(FromSeconds(0.02 * queueing), 0, limit.limit());
  }
  EXPECT_GE(limit.limit(), 16U);
  EXPECT_LE(limit.limit(), 24U);
}

TEST(ConcurrencyLimit, DoesNotGrowWhereItIsNotReached) {
  ConcurrencyLimit limit(256);
  for (int i = 0; i < 1'000; ++i) limit.OnAnswer(milliseconds(20), 0, 1);
  EXPECT_EQ(limit.limit(), ConcurrencyLimit::kStart);
}

TEST(Backoff, IsJitteredGrowsAndIsCapped) {
  Random random(7);
  for (uint32_t failures = 1; failures < 40; ++failures) {
    Duration longest{};
    for (int i = 0; i < 200; ++i) longest = std::max(longest, FullJitter(failures, &random));
    EXPECT_LE(longest, kBackoffMax);
    const Duration ceiling = kBackoffBase * (1 << std::min(failures - 1, 16U));
    EXPECT_GT(longest, std::min(kBackoffMax, ceiling) / 2);
  }
}

struct Case {
  int http_status;
  const char* aws_code;
  Attempt attempt;
  Remedy remedy;
};

TEST(Remedy, EveryServiceAnswerHasItsRow) {
  const Attempt named{.names_records = true};
  const std::array cases = {
      Case{408, "RequestTimeoutException", {}, Remedy::kRetry},
      Case{429, "TooManyRequestsException", {}, Remedy::kRetrySlower},
      Case{429, "", {}, Remedy::kRetrySlower},
      Case{500, "InternalServerException", {}, Remedy::kRetry},
      Case{502, "", {}, Remedy::kRetry},
      Case{503, "ServiceUnavailableException", {}, Remedy::kRetrySlower},
      Case{504, "", {}, Remedy::kRetry},
      Case{400, "ValidationException", named, Remedy::kRejectNamed},
      Case{400, "ValidationException", {}, Remedy::kHalve},
      Case{400, "SerializationException", {}, Remedy::kHalve},
      Case{400, "", {}, Remedy::kHalve},
      Case{413, "", {}, Remedy::kHalve},
      Case{400, "KmsDisabledException", {}, Remedy::kStop},
      Case{400, "KmsInvalidKeyUsageException", {}, Remedy::kStop},
      Case{400, "KmsInvalidStateException", {}, Remedy::kStop},
      Case{400, "KmsNotFoundException", named, Remedy::kStop},
      Case{400, "SomethingNew", {}, Remedy::kStop},
      Case{402, "ServiceQuotaExceededException", {}, Remedy::kStop},
      Case{403, "AccessDeniedException", {}, Remedy::kStop},
      Case{403, "UnrecognizedClientException", {}, Remedy::kStop},
      Case{403, "ExpiredTokenException", {}, Remedy::kRefreshCredentials},
      Case{403, "ExpiredTokenException", {.refreshed = true}, Remedy::kStop},
      Case{403, "RequestTimeTooSkewed", {}, Remedy::kMendClock},
      Case{403, "RequestTimeTooSkewed", {.clock_mended = true}, Remedy::kStop},
      Case{404, "NotFoundException", {}, Remedy::kStop},
      Case{409, "ConflictException", {}, Remedy::kStop},
      Case{301, "", {}, Remedy::kStop},
  };
  for (const Case& c : cases) {
    const Status status(Code::kUnavailable, "x", ServiceError{c.http_status, c.aws_code, ""});
    EXPECT_EQ(DecideRemedy(status, c.attempt), c.remedy) << c.http_status << " " << c.aws_code;
  }
}

TEST(Remedy, WithoutAnAnswerOnlyWhatMayPassIsTriedAgain) {
  EXPECT_EQ(DecideRemedy(Status::Ok(), {}), Remedy::kDone);
  EXPECT_EQ(DecideRemedy(Status::Unavailable("reset"), {}), Remedy::kRetry);
  EXPECT_EQ(DecideRemedy(Status::Cancelled("stop"), {}), Remedy::kStop);
  EXPECT_EQ(DecideRemedy(Status::Denied("no keys"), {}), Remedy::kStop);
}

}  // namespace
}  // namespace vecload::pace
