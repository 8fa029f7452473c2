// Goal: what is told of a running job. Method: a course of events at chosen times; what is "recent"
// must forget what is older than five seconds, and totals must not.
#include "load/tally.h"

#include <gtest/gtest.h>

#include "load/files_under_way.h"

namespace vecload::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kBegin{};

Answer AnswerAfter(Duration latency, int http_status = 200) {
  Answer answer{.latency = latency};
  if (http_status != 200) {
    answer.status = Status(Code::kThrottled, "slow down", ServiceError{.http_status = http_status});
  }
  return answer;
}

TEST(Tally, TellsRatesLatenciesAndBottleneckOfTheLastSeconds) {
  Tally tally(100'000, {}, kBegin);
  Standing standing{.encoders = 1};
  // Ten seconds in which the service was slow, then ten at the limit.
  for (int second = 1; second <= 20; ++second) {
    const bool slow = second <= 10;
    tally.OnSend(true, 1'000);
    tally.OnAnswer(AnswerAfter(slow ? milliseconds(900) : milliseconds(20)));
    tally.OnCommit(slow ? 100 : 2'500, 0, 0);
    (slow ? standing.spent.waits.in_flight : standing.spent.waits.tokens) += seconds(1);
    const JobProgress now = tally.Progress(standing, kBegin + seconds(second));
    if (second == 10) {
      EXPECT_NEAR(now.vectors_per_s, 100, 1);
      EXPECT_NEAR(now.latency_ms.p50, 900, 20);
      EXPECT_EQ(now.bottleneck, Bottleneck::kServiceLatency);
    }
  }
  const JobProgress end = tally.Progress(standing, kBegin + seconds(20));
  EXPECT_NEAR(end.vectors_per_s, 2'500, 1);
  EXPECT_NEAR(end.vectors_per_s_mean, 1'300, 1);
  EXPECT_NEAR(end.latency_ms.p99, 20, 1) << "the slow answers are over";
  EXPECT_EQ(end.bottleneck, Bottleneck::kServiceLimit);
  EXPECT_EQ(end.attempts, 20U);
  EXPECT_EQ(end.bytes_sent, 20'000U);
  EXPECT_NEAR(*end.eta_s, (100'000 - 26'000) / 2'500.0, 0.1);
  EXPECT_NEAR(end.times.wait_in_flight_s, 10, 1e-9);
  EXPECT_NEAR(end.times.put_s, 9.2, 1e-9);
}

TEST(Tally, CountsAnswersByLatencyWithTheBoundItself) {
  Tally tally(10, {}, kBegin);
  for (const Duration latency : {Duration(milliseconds(5)), Duration(milliseconds(5)) + Duration(1),
                                 Duration(seconds(31))}) {
    tally.OnAnswer(AnswerAfter(latency));
  }
  const LatencyCounts counts = tally.Progress({}, kBegin).latencies;
  EXPECT_EQ(counts.counts.front(), 1U) << "at most 5 ms";
  EXPECT_EQ(counts.counts[1], 1U);
  EXPECT_EQ(counts.counts.back(), 1U) << "beyond all bounds";
  EXPECT_NEAR(counts.sum_s, 31.01, 1e-6);
}

TEST(Tally, TellsRejectsByRuleAndEachShardsRate) {
  Tally tally(100, {.rows = 10, .superseded = 1, .rejected = 2}, kBegin);
  const std::vector<Reject> rejects = {{.rule = RejectRule::kVectorNotFinite},
                                       {.rule = RejectRule::kKeyMissing},
                                       {.rule = RejectRule::kVectorNotFinite}};
  tally.OnRejects(rejects);
  tally.OnCommit(40, 3, 0);
  Standing standing;
  standing.shards = {{.index = "a", .vectors_acknowledged = 30},
                     {.index = "b", .vectors_acknowledged = 10}};
  tally.Progress(standing, kBegin + seconds(1));
  standing.shards[1].vectors_acknowledged = 20;
  const JobProgress progress = tally.Progress(standing, kBegin + seconds(2));
  ASSERT_EQ(progress.rejects.size(), 2U);
  EXPECT_EQ(progress.rejects[0].rule, "key_missing");
  EXPECT_EQ(progress.rejects[1].rule, "vector_not_finite");
  EXPECT_EQ(progress.rejects[1].rows, 2U);
  EXPECT_EQ(progress.vectors_rejected, 5U) << "those of the earlier run, too";
  EXPECT_EQ(progress.vectors_resumed, 7U);
  EXPECT_EQ(progress.rows_done, 53U);
  ASSERT_EQ(progress.shards.size(), 2U);
  EXPECT_EQ(progress.shards[0].vectors_per_s, 15);
  EXPECT_EQ(progress.shards[1].vectors_per_s, 10);
}

TEST(FilesUnderWay, TellsThoseBegunAndNotDone) {
  Manifest manifest;
  for (const char* name : {"done", "empty", "begun", "new"}) {
    manifest.files.push_back({.uri = name, .rows = *name == 'e' ? 0U : 100U});
  }
  FilesUnderWay files(manifest, ReadingPlan::Whole(manifest),
                      [](uint32_t file) { return file == 0 ? 100U : 0U; });
  const auto settle = [&](uint32_t file, uint64_t rows) {
    const journal::SettledSegment segment{.segment = {.file = file}, .counts = {.rows = rows}};
    files.OnSettled({&segment, 1});
  };
  settle(2, 30);
  JobProgress progress;
  files.Tell(&progress);
  EXPECT_EQ(progress.files_total, 4U);
  EXPECT_EQ(progress.files_done, 2U) << "that of an earlier run, and the one without rows";
  ASSERT_EQ(progress.files.size(), 1U);
  EXPECT_EQ(progress.files[0].file, "begun");
  EXPECT_EQ(progress.files[0].rows_done, 30U);
  EXPECT_EQ(progress.files[0].rows_total, 100U);
  settle(2, 70);
  settle(3, 100);
  progress = {};
  files.Tell(&progress);
  EXPECT_EQ(progress.files_done, 4U);
  EXPECT_TRUE(progress.files.empty());
}

TEST(FilesUnderWay, ShowsABoundedNumberAndNothingOfAStream) {
  Manifest manifest;
  manifest.files.resize(1'000, {.rows = 2});
  FilesUnderWay files(manifest, ReadingPlan::Whole(manifest), [](uint32_t) { return 1U; });
  JobProgress progress;
  files.Tell(&progress);
  EXPECT_EQ(progress.files.size(), JobProgress::kFilesShownMax);
  progress = {};
  FilesUnderWay stream;
  const journal::SettledSegment segment{.segment = {}, .counts = {.rows = 5}};
  stream.OnSettled({&segment, 1});
  stream.Tell(&progress);
  EXPECT_EQ(progress.files_total, 0U);
}

}  // namespace
}  // namespace vecload::load
