// Goal: the sums tell every difference that records can have, and nothing else. Method: the same
// records in other orders and from several threads must cancel; single changes must not.
#include "audit/digest_table.h"

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace vecload::audit {
namespace {

RecordDigest Digested(const std::string& key, const std::vector<float>& vector = {1, 2},
                      const std::string& metadata = "", uint32_t shard = 0) {
  return RecordDigester({}).Of(key, vector, metadata, shard);
}

bool IsZero(const DigestTable& table) {
  for (uint32_t i = 0; i < DigestTable::kBuckets; ++i) {
    if (table.Differs(i)) return false;
  }
  return true;
}

// All in one bucket, so that threads meet there and carries happen.
RecordDigest InOneBucket(int i) {
  RecordDigest digest = Digested("k" + std::to_string(i));
  digest.key_hash = 7;
  return digest;
}

TEST(DigestTable, CancelsTheSameRecordsInAnyOrderFromSeveralThreads) {
  constexpr int kRecords = 20'000;
  DigestTable table;
  std::thread adding([&] {
    for (int i = 0; i < kRecords; ++i) table.Add(InOneBucket(i));
  });
  for (int i = kRecords - 1; i >= 0; --i) table.Subtract(InOneBucket(i));
  adding.join();
  EXPECT_TRUE(IsZero(table));
}

TEST(DigestTable, CarriesIntoTheHighHalf) {
  DigestTable table;
  RecordDigest half{.key_hash = 7, .whole = {.high = 0, .low = uint64_t{1} << 63}};
  RecordDigest whole{.key_hash = 7, .whole = {.high = 1, .low = 0}};
  table.Add(half);
  table.Add(half);
  table.Subtract(whole);
  table.Subtract({.key_hash = 7, .whole = {}});
  EXPECT_FALSE(table.Differs(7));
}

TEST(DigestTable, SeesARecordThatIsTwiceOnOneSide) {
  DigestTable table;
  table.Add(Digested("a"));
  table.Add(Digested("a"));
  EXPECT_FALSE(IsZero(table));
}

TEST(RecordDigest, DiffersWithEveryPart) {
  const Digest whole = Digested("key").whole;
  EXPECT_EQ(Digested("key").whole, whole);
  EXPECT_NE(Digested("kez").whole, whole);
  EXPECT_NE(Digested("key", {2, 1}).whole, whole);
  EXPECT_NE(Digested("key", {1, 2, 0}).whole, whole);
  EXPECT_NE(Digested("key", {1, 2}, R"({"a":1})").whole, whole);
  EXPECT_NE(Digested("key", {1, 2}, "", 1).whole, whole);
}

TEST(RecordDigest, TakesNegativeZeroForZeroAndTheSmallestNumberForItself) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(Digested("k", {0.0F, 1}).whole, Digested("k", {-0.0F, 1}).whole);
  EXPECT_NE(Digested("k", {0.0F, 1}).whole, Digested("k", {tiny, 1}).whole);
  std::vector<float> large(4096, 1);
  const Digest whole = Digested("k", large).whole;
  large.back() = 2;
  EXPECT_NE(Digested("k", large).whole, whole);
}

}  // namespace
}  // namespace vecload::audit
