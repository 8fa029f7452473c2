// Goal: amounts are exact decimals, and a file of prices is taken or refused as a whole.
// Method: amounts worked out by hand; Python's decimals do the same in tests/e2e/plan_test.py.

#include "load/prices.h"

#include <gmock/gmock.h>

namespace vecload::load {
namespace {

using testing::HasSubstr;

TEST(Money, IsReadAsADecimalNumber) {
  EXPECT_EQ(Money::Parse("0.2")->nanos, 200'000'000);
  EXPECT_EQ(Money::Parse("12")->nanos, 12'000'000'000);
  EXPECT_EQ(Money::Parse("0.000000001")->nanos, 1);
  EXPECT_EQ(Money::Parse("999999999999")->nanos, __int128{999'999'999'999} * 1'000'000'000);
  for (const char* text : {"", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", "0.0000000001", " 1",
                           "1000000000000", "1.2.3", "0x10"}) {
    EXPECT_FALSE(Money::Parse(text).has_value()) << text;
  }
}

TEST(Money, ShowsTwoToSixDecimalsRoundedHalfUp) {
  EXPECT_EQ(Money{.nanos = 0}.ToString(), "0.00");
  EXPECT_EQ(Money{.nanos = 200'000'000}.ToString(), "0.20");
  EXPECT_EQ(Money{.nanos = 819'200'000}.ToString(), "0.8192");
  EXPECT_EQ(Money{.nanos = 499}.ToString(), "0.00");
  EXPECT_EQ(Money{.nanos = 500}.ToString(), "0.000001");
  EXPECT_EQ(Money{.nanos = 999'999'500}.ToString(), "1.00");
  EXPECT_EQ(Money{.nanos = __int128{1'234'567} * 1'000'000'000}.ToString(), "1234567.00");
}

TEST(Prices, ABillionVectorsCostWhatTheListSays) {
  // 10^9 vectors of 1,024 dimensions are 4.096 x 10^12 bytes, 3,814.697... GB of 2^30.
  const PlannedCost cost = CostOf(
      {.logical_bytes = 4'096'000'000'000, .put_requests = 2'000'000, .list_requests = 4'000'000},
      PricesToday());
  EXPECT_EQ(cost.load, "762.939453");
  EXPECT_EQ(cost.storage_month, "228.881836");
  EXPECT_EQ(cost.queries_1000, "0.0025");
  EXPECT_EQ(cost.verify_lists, "");
}

TEST(Prices, ACallIsChargedForTheLeastThereIs) {
  // 8,192 calls of 128 KiB are a GB.
  const PlannedCost cost = CostOf({.logical_bytes = 1, .put_requests = 8'192}, PricesToday());
  EXPECT_EQ(cost.load, "0.20");
}

TEST(Prices, WhatAFileLeavesOutIsAsByDefault) {
  const auto prices = ReadPrices(
      R"({"region":"r","source":"s","date":"d","put_per_gb":0.3,"lists_per_million":"5.5"})", "f");
  ASSERT_TRUE(prices.ok()) << prices.status().message();
  EXPECT_EQ(prices->put_per_gb.nanos, 300'000'000);
  EXPECT_EQ(prices->storage_per_gb_month.nanos, 60'000'000);
  EXPECT_EQ(prices->lists_per_million->nanos, 5'500'000'000);
  EXPECT_EQ(prices->put_bytes_min, 131'072U);
}

TEST(Prices, AFileThatIsNoneIsRefusedByName) {
  EXPECT_THAT(ReadPrices("[]", "f.json").status().message(), HasSubstr("f.json"));
  EXPECT_THAT(ReadPrices(R"({"source":"s","date":"d"})", "f").status().message(),
              HasSubstr("\"region\" is missing"));
  EXPECT_THAT(
      ReadPrices(R"({"region":"r","source":"s","date":"d","put":1})", "f").status().message(),
      HasSubstr("\"put\" is not known"));
}

}  // namespace
}  // namespace vecload::load
