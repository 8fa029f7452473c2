// Goal: what a plan promises is what the loader's own rules give. Method: cases whose answer is
// plain, and for requests the cutter itself on the same rows.

#include "load/job_plan.h"

#include <atomic>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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
  EXPECT_EQ(Requests(Files({1'000'000}), {.shards = 16}), 2'000U);
  EXPECT_EQ(Requests(Files({8'001}), {.shards = 16}), 32U);
  EXPECT_EQ(Requests(Files(std::vector<uint64_t>(33, 160)), {.shards = 16}), 3U * 16)
      << "16 files at most";
  EXPECT_EQ(Requests(Files({10}), {.shards = 16}), 10U) << "a request has a row at least";
}

TEST(LoadSeconds, AreBoundByVectorsOrByRequests) {
  EXPECT_DOUBLE_EQ(LoadSeconds(1'000'000'000, 2'000'000, 1), 400'000);
  EXPECT_DOUBLE_EQ(LoadSeconds(1'000'000'000, 2'000'000, 100), 4'000);
  EXPECT_DOUBLE_EQ(LoadSeconds(2'000, 2'000, 1), 2);
}

TEST(ListCalls, AreBoundByVectorsOrByBytesOfAPage) {
  EXPECT_EQ(ListCalls(1'000'000, 1, 100), 1'000U);
  // Of 1,000,000 x 384-d, as measured: docs/internals/verify.md has 1,515.
  EXPECT_NEAR(static_cast<double>(ListCalls(1'000'000, 1, 4 * 384 + 52)), 1'515, 5);
  EXPECT_EQ(ListCalls(1'600, 16, 100), 16U);
  EXPECT_EQ(ListCalls(0, 1, 100), 4U);
}

}  // namespace
}  // namespace vecload::load
