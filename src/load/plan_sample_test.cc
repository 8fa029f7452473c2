// Goal: a sample is spread over the source, as large as asked for where that is cheap, and always
// the same. Method: manifests of many shapes, and the ranges that come of them.

#include "load/plan_sample.h"

#include <numeric>
#include <set>

#include <gtest/gtest.h>

namespace vecload::load {
namespace {

Manifest MakeManifest(size_t files, const std::vector<uint64_t>& groups,
                      const std::string& prefix = "/data/") {
  Manifest manifest;
  for (size_t i = 0; i < files; ++i) {
    SourceFile file{.uri = prefix + std::to_string(i), .row_group_rows = groups};
    file.rows = std::accumulate(groups.begin(), groups.end(), uint64_t{0});
    manifest.rows += file.rows;
    manifest.files.push_back(file);
  }
  return manifest;
}

uint64_t RowsOf(const std::vector<ReadRequest>& requests) {
  uint64_t rows = 0;
  for (const ReadRequest& request : requests) rows += request.row_end - request.row_begin;
  return rows;
}

TEST(SampleRequests, TakeAllOfASmallSource) {
  const Manifest manifest = MakeManifest(3, {10, 5});
  const auto requests = SampleRequests(manifest, 10'000);
  EXPECT_EQ(RowsOf(requests), manifest.rows);
  EXPECT_EQ(requests.size(), 6U);
}

TEST(SampleRequests, OfOneRowGroupTakeTheFirstRows) {
  const auto requests = SampleRequests(MakeManifest(1, {1'000'000'000}), 10'000);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].row_begin, 0U);
  EXPECT_EQ(requests[0].row_end, 10'000U);
}

TEST(SampleRequests, ReachFromTheFirstFileToTheLast) {
  const auto requests = SampleRequests(MakeManifest(100'000, {20}), 10'000);
  EXPECT_LE(requests.size(), 512U);
  EXPECT_GT(RowsOf(requests), 9'500U);
  EXPECT_EQ(requests.front().file, 0U);
  EXPECT_GT(requests.back().file, 99'700U);
  for (size_t i = 1; i < requests.size(); ++i) EXPECT_GT(requests[i].file, requests[i - 1].file);
}

TEST(SampleRequests, LargeRowGroupsGiveMoreWhereOthersAreSmall) {
  Manifest manifest = MakeManifest(1, {1, 50'000, 1, 50'000});
  const auto requests = SampleRequests(manifest, 10'000);
  EXPECT_EQ(RowsOf(requests), 10'000U);
}

TEST(SampleRequests, StayWithinTheirRowGroups) {
  const std::vector<uint64_t> groups = {7, 0, 3, 1'000, 0, 12};
  const Manifest manifest = MakeManifest(50, groups);
  std::set<uint64_t> begins;
  uint64_t begin = 0;
  for (const uint64_t rows : groups) {
    begins.insert(begin);
    begin += rows;
  }
  for (const uint64_t wanted : {1, 10, 999, 20'000}) {
    const auto requests = SampleRequests(manifest, wanted);
    EXPECT_LE(RowsOf(requests), wanted);
    EXPECT_GT(RowsOf(requests), 0U);
    for (const ReadRequest& request : requests) {
      EXPECT_TRUE(begins.contains(request.row_begin));
      EXPECT_LE(request.row_end, begin);
    }
  }
}

TEST(SampleRequests, ReadFewFilesThatAreFarAway) {
  EXPECT_LE(SampleRequests(MakeManifest(100'000, {20}, "s3://b/"), 10'000).size(), 64U);
}

TEST(SampleRequests, OfNoRowsAreNone) {
  EXPECT_TRUE(SampleRequests(MakeManifest(3, {}), 10'000).empty());
  EXPECT_TRUE(SampleRequests(MakeManifest(3, {0, 0}), 10'000).empty());
}

}  // namespace
}  // namespace vecload::load
