// Goal: a signer never sees parts of two sets of keys, and never waits for long. Method: readers
// that tear, fail, change and hang on command; the provider's own thread is real, its period is an
// hour, so that only Refresh makes it read.

#include "auth/renewing_provider.h"

#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/test_environment.h"
#include "base/random.h"

namespace vecload::auth {
namespace {

constexpr RenewalOptions kOnlyOnRefresh = {.period = std::chrono::hours(1),
                                           .reading_max = std::chrono::seconds(20),
                                           .retry_pause = std::chrono::microseconds(1),
                                           .ending_max = std::chrono::seconds(20)};

Credentials Set(int number) {
  const std::string text = std::to_string(number);
  return {"A" + text, "S" + text, "T" + text};
}

bool IsWhole(const Credentials& keys) {
  return keys.access_key.substr(1) == keys.secret_key.substr(1) &&
         keys.secret_key.substr(1) == keys.session_token.substr(1);
}

// Gives the readings of a list, then its last one for ever.
ReadKeys Script(std::vector<Result<Credentials>> readings) {
  return [readings = std::move(readings), next = size_t{0}]() mutable {
    return readings[std::min(next++, readings.size() - 1)];
  };
}

TEST(ReadAgreeing, TakesTwoReadingsThatAgree) {
  const Result<Credentials> keys = ReadAgreeing(Script({Set(1)}));
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(*keys, Set(1));
}

TEST(ReadAgreeing, PassesOverATornReading) {
  const Credentials torn = {"A1", "S2", "T2"};
  const Credentials torn_late = {"A1", "S1", "T2"};
  EXPECT_EQ(*ReadAgreeing(Script({torn, Set(2)})), Set(2));
  EXPECT_EQ(*ReadAgreeing(Script({Set(1), torn_late, Set(2)})), Set(2));
}

// The source changes its set after any of the three parts was read, with every pattern tried.
TEST(ReadAgreeing, NeverGivesAMixtureWhereverTheKeysChange) {
  for (unsigned pattern = 0; pattern < (1u << 12); ++pattern) {
    int current = 0;
    unsigned reads = 0;
    const auto part = [&](char letter) {
      const std::string text = letter + std::to_string(current);
      if (reads < 12 && ((pattern >> reads) & 1u) != 0) ++current;
      ++reads;
      return text;
    };
    const Result<Credentials> keys = ReadAgreeing([&]() -> Result<Credentials> {
      Credentials reading;
      reading.access_key = part('A');
      reading.secret_key = part('S');
      reading.session_token = part('T');
      return reading;
    });
    ASSERT_TRUE(keys.ok());
    ASSERT_TRUE(IsWhole(*keys)) << "pattern " << pattern << ": " << keys->access_key << " "
                                << keys->secret_key << " " << keys->session_token;
  }
}

TEST(ReadAgreeing, GivesUpWhereNoTwoAgree) {
  int number = 0;
  const Result<Credentials> keys =
      ReadAgreeing([&]() -> Result<Credentials> { return Set(++number); });
  EXPECT_EQ(keys.status().code(), Code::kUnavailable);
  EXPECT_EQ(number, 8);
}

TEST(RenewingProvider, GivesTheFirstKeysAndNewOnesAfterRefresh) {
  std::atomic<int> number = 1;
  const auto provider = RenewingProvider::Start(
      [&number]() -> Result<Credentials> { return Set(number); }, kOnlyOnRefresh);
  ASSERT_TRUE(provider.ok());
  const std::shared_ptr<const Credentials> first = (*provider)->Current();
  EXPECT_EQ(*first, Set(1));
  number = 2;
  EXPECT_EQ(*(*provider)->Current(), Set(1));
  EXPECT_TRUE((*provider)->Refresh().ok());
  EXPECT_EQ(*(*provider)->Current(), Set(2));
  EXPECT_EQ(*first, Set(1)) << "a triple that was handed out never changes";
}

TEST(RenewingProvider, ReportsTheFirstFailure) {
  const auto provider =
      RenewingProvider::Start(Script({Status::Denied("no keys anywhere")}), kOnlyOnRefresh);
  EXPECT_EQ(provider.status().ToString(), "denied: no keys anywhere");
}

TEST(RenewingProvider, KeepsItsKeysWhereALaterReadingFails) {
  const auto provider =
      RenewingProvider::Start(Script({Set(1), Set(1), Status::Denied("gone")}), kOnlyOnRefresh);
  ASSERT_TRUE(provider.ok());
  EXPECT_EQ((*provider)->Refresh().ToString(), "denied: gone");
  EXPECT_EQ(*(*provider)->Current(), Set(1));
}

TEST(RenewingProvider, APassingFailureIsPassedOver) {
  const auto provider = RenewingProvider::Start(
      Script({Set(1), Set(1), Status::Denied("emptied"), Status::Denied("emptied"), Set(2)}),
      kOnlyOnRefresh);
  ASSERT_TRUE(provider.ok());
  EXPECT_TRUE((*provider)->Refresh().ok());
  EXPECT_EQ(*(*provider)->Current(), Set(2));
}

TEST(RenewingProvider, DoesNotWaitForAReadingThatHangs) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  const auto provider = RenewingProvider::Start(
      [released]() -> Result<Credentials> {
        released.wait();
        return Set(1);
      },
      {.period = std::chrono::hours(1),
       .reading_max = std::chrono::milliseconds(1),
       .ending_max = std::chrono::milliseconds(1)});
  EXPECT_EQ(provider.status().code(), Code::kDenied);
  EXPECT_THAT(provider.status().message(), testing::HasSubstr("credential_process"));
  release.set_value();
}

TEST(RenewingProvider, ServesManyThreadsWhileTheKeysChange) {
  std::atomic<int> number = 1;
  const auto provider = RenewingProvider::Start(
      [&number]() -> Result<Credentials> { return Set(number); }, kOnlyOnRefresh);
  ASSERT_TRUE(provider.ok());
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) EXPECT_TRUE(IsWhole(*(*provider)->Current()));
    });
  }
  for (int i = 0; i < 100; ++i) {
    ++number;
    EXPECT_TRUE((*provider)->Refresh().ok());
    EXPECT_EQ(*(*provider)->Current(), Set(number));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// The keys change under the reader's hands, before any of the parts, while others sign.
TEST(RenewingProvider, NoTripleIsTornInTenThousandRefreshes) {
  Random random(11);  // the reading thread's own
  int number = 1;
  std::atomic<int> torn = 0;
  const auto part = [&](char letter) {
    if (random.Below(8) == 0) ++number;
    return letter + std::to_string(number);
  };
  const auto provider = RenewingProvider::Start(
      [&]() -> Result<Credentials> {
        Credentials reading;
        reading.access_key = part('A');
        reading.secret_key = part('S');
        reading.session_token = part('T');
        if (!IsWhole(reading)) ++torn;
        return reading;
      },
      kOnlyOnRefresh);
  ASSERT_TRUE(provider.ok());
  std::atomic<bool> stop = false;
  std::vector<std::thread> signers;
  for (int i = 0; i < 2; ++i) {
    signers.emplace_back([&] {
      while (!stop) {
        EXPECT_TRUE(IsWhole(*(*provider)->Current()));
        std::this_thread::yield();
      }
    });
  }
  int accepted = 0;
  Duration longest{};
  for (int i = 0; i < 10'000; ++i) {
    const TimePoint begin = Clock::System().Now();
    accepted += (*provider)->Refresh().ok() ? 1 : 0;
    longest = std::max(longest, Clock::System().Now() - begin);
    EXPECT_TRUE(IsWhole(*(*provider)->Current())) << "refresh " << i;
  }
  stop = true;
  for (std::thread& signer : signers) signer.join();
  EXPECT_GT(torn, 5'000) << "the source must tear";
  EXPECT_GT(accepted, 9'900) << "and yet give keys";
  EXPECT_LT(longest, kOnlyOnRefresh.reading_max);
}

using FromChainTest = AwsEnvironmentTest;

TEST_F(FromChainTest, TakesKeysFromTheEnvironmentAsTheyAre) {
  Set("AWS_ACCESS_KEY_ID", "A");
  Set("AWS_SECRET_ACCESS_KEY", "HIDDEN");
  const auto provider = CredentialProvider::FromChain(*ReadAwsSettings("", "", ""));
  ASSERT_TRUE(provider.ok());
  EXPECT_EQ(*(*provider)->Current(), (Credentials{"A", "HIDDEN", ""}));
  const Status refreshed = (*provider)->Refresh();
  EXPECT_EQ(refreshed.code(), Code::kDenied);
  EXPECT_THAT(refreshed.message(), testing::Not(testing::HasSubstr("HIDDEN")));
}

TEST_F(FromChainTest, ReadsAProfileAgainOnRefresh) {
  WriteCredentials("[p]\naws_access_key_id=A\naws_secret_access_key=S\n");
  const auto provider = CredentialProvider::FromChain(*ReadAwsSettings("p", "", ""));
  ASSERT_TRUE(provider.ok());
  EXPECT_EQ(*(*provider)->Current(), (Credentials{"A", "S", ""}));
  WriteCredentials("[p]\naws_access_key_id=B\naws_secret_access_key=T\naws_session_token=U\n");
  EXPECT_TRUE((*provider)->Refresh().ok());
  EXPECT_EQ(*(*provider)->Current(), (Credentials{"B", "T", "U"}));
  WriteCredentials("[p]\n");
  EXPECT_EQ((*provider)->Refresh().code(), Code::kDenied);
  EXPECT_EQ(*(*provider)->Current(), (Credentials{"B", "T", "U"}));
}

}  // namespace
}  // namespace vecload::auth
