// Goal: what a plan promises is what the loader's own rules give. Method: cases whose answer is
// plain, and of shards the keys' own hashes.

#include "load/job_plan.h"

#include <cmath>

#include <gtest/gtest.h>

#include "client/shards.h"

namespace vecload::load {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = 1 << 30;

Manifest Files(const std::vector<uint64_t>& rows) {
  Manifest manifest;
  for (const uint64_t count : rows) {
    SourceFile file;
    file.rows = count;
    manifest.files.push_back(file);
    manifest.rows += count;
  }
  return manifest;
}

TEST(MemoryBytesDefault, GrowsWithTheShardsUpToAQuarterOfTheMachine) {
  EXPECT_EQ(MemoryBytesDefault(1, 64 * kGiB), 256 * kMiB);
  EXPECT_EQ(MemoryBytesDefault(3, 64 * kGiB), 256 * kMiB);
  EXPECT_EQ(MemoryBytesDefault(16, 64 * kGiB), 1'104 * kMiB);
  EXPECT_EQ(MemoryBytesDefault(1'000, 64 * kGiB), 16 * kGiB);
  EXPECT_EQ(MemoryBytesDefault(1, 512 * kMiB), 128 * kMiB);
}

TEST(BatchVectors, AreWhatFitsIntoABody) {
  EXPECT_EQ(BatchVectors(100), 500U);
  EXPECT_EQ(BatchVectors(4096 * 12), 422U);
  EXPECT_EQ(BatchVectors(1e9), 1U);
}

TEST(Requests, CountOneLargeFileByItsRows) {
  EXPECT_EQ(Requests(Files({}), {}), 0U);
  EXPECT_EQ(Requests(Files({1}), {}), 1U);
  EXPECT_EQ(Requests(Files({500}), {}), 1U);
  EXPECT_EQ(Requests(Files({501}), {}), 2U);
  EXPECT_EQ(Requests(Files({1'000'000}), {}), 2'000U);
  EXPECT_EQ(Requests(Files({1'000'000}), {.batch_vectors = 400}), 2'500U);
  EXPECT_EQ(Requests(Files({1'000'000}), {.batch_vectors = 500, .block_rows = 100}), 2'000U);
}

TEST(Requests, SmallFilesShareOne) {
  EXPECT_EQ(Requests(Files({200, 200, 200}), {}), 2U);
  EXPECT_EQ(Requests(Files(std::vector<uint64_t>(16, 10)), {}), 1U);
  EXPECT_EQ(Requests(Files(std::vector<uint64_t>(33, 10)), {}), 3U) << "16 files at most";
}

TEST(Requests, OfShardsAreEachOnesOwn) {
  // 62,500 rows a shard fill 125 requests on average, and half of the shards have some rows more.
  EXPECT_EQ(Requests(Files({1'000'000}), {.shards = 16}), 125U * 16 + 8);
  EXPECT_EQ(Requests(Files({12'000}), {.shards = 16}), 32U) << "750 each, never over 1,000";
  EXPECT_EQ(Requests(Files(std::vector<uint64_t>(33, 160)), {.shards = 16}), 3U * 16)
      << "16 files at most";
  EXPECT_EQ(Requests(Files({10}), {.shards = 16}), 10U) << "a request has a row at least";
}

TEST(Requests, OfShardsAreWhatAHashMakesThem) {
  for (const auto& [rows, shards] : {std::pair{20'000U, 4U}, {100'000U, 100U}, {77'777U, 150U}}) {
    std::vector<uint64_t> of_shard(shards);
    for (uint32_t row = 0; row < rows; ++row) {
      ++of_shard[client::ShardOf("key-" + std::to_string(row), shards)];
    }
    uint64_t requests = 0;
    for (const uint64_t count : of_shard) requests += (count + 499) / 500;
    const auto planned = static_cast<double>(Requests(Files({rows}), {.shards = shards}));
    EXPECT_NEAR(planned, static_cast<double>(requests), 2 + std::sqrt(shards)) << shards;
  }
}

TEST(LoadSeconds, AreBoundByVectorsOrByRequests) {
  EXPECT_DOUBLE_EQ(LoadSeconds(1'000'000'000, 2'000'000, 1), 400'000);
  EXPECT_DOUBLE_EQ(LoadSeconds(1'000'000'000, 2'000'000, 100), 4'000);
  EXPECT_DOUBLE_EQ(LoadSeconds(2'000, 2'000, 1), 2);
}

TEST(ListCalls, AreBoundByVectorsOrByBytesOfAPage) {
  // Four segments, the last page of each partly full.
  EXPECT_EQ(ListCalls(1'000'000, 1, 100), 1'002U);
  // Of 1,000,000 x 384-d, as measured: docs/internals/verify.md has 1,515.
  EXPECT_NEAR(static_cast<double>(ListCalls(1'000'000, 1, 4 * 384 + 52)), 1'515, 8);
  EXPECT_EQ(ListCalls(1'600, 16, 100), 16U);
  EXPECT_EQ(ListCalls(100'000, 100, 100), 150U) << "1,000 each: in one page, or not";
  EXPECT_EQ(ListCalls(0, 1, 100), 4U);
}

}  // namespace
}  // namespace vecload::load
