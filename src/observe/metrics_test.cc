// Goal: a scrape holds the latest progress under the documented names, in the form of Prometheus's
// text format 0.0.4, whatever the labels hold. Method: made-up progress, compared with lines
// written out here; tests/e2e/metrics_test.py lets Prometheus's own parsers read it.

#include "observe/metrics.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::observe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

JobProgress SomeProgress() {
  JobProgress progress;
  progress.rows_total = 1'000'000;
  progress.rows_done = 250'010;
  progress.vectors_acknowledged = 250'000;
  progress.vectors_rejected = 10;
  progress.bytes_sent = 12'345'678'901;
  progress.in_flight = 17;
  progress.limit_vectors_per_s = 2'500;
  progress.bottleneck = Bottleneck::kSourceRead;
  progress.times.read_s = 1.5;
  progress.rejects = {{"vector_not_finite", 7}, {"key_empty", 3}};
  return progress;
}

std::string TextOf(const JobProgress& progress) {
  JobMetrics metrics(JobKind::kLoad, "media/films");
  metrics.Update(progress);
  return metrics.Text();
}

TEST(JobMetrics, BeginWithZerosSoThatAnIncreaseIsSeen) {
  const std::string text = JobMetrics(JobKind::kDelete, "media/films").Text();
  EXPECT_THAT(text, HasSubstr("\nvecload_job_info{kind=\"delete\",index=\"media/films\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nvecload_vectors_acknowledged_total 0\n"));
  EXPECT_THAT(text, HasSubstr("\nvecload_put_duration_seconds_count 0\n"));
}

TEST(JobMetrics, HoldTheLatestProgress) {
  JobMetrics metrics(JobKind::kLoad, "media/films");
  metrics.Update(JobProgress{});
  metrics.Update(SomeProgress());
  const std::string text = metrics.Text();
  for (const char* line : {"# TYPE vecload_rows gauge\nvecload_rows 1000000\n",
                           "\n# TYPE vecload_vectors_acknowledged_total counter\n",
                           "\nvecload_vectors_acknowledged_total 250000\n",
                           "\nvecload_rows_done 250010\n", "\nvecload_rows_rejected 10\n",
                           "\nvecload_sent_bytes_total 12345678901\n", "\nvecload_in_flight 17\n",
                           "\nvecload_vectors_rejected_total{rule=\"vector_not_finite\"} 7\n",
                           "\nvecload_vectors_rejected_total{rule=\"key_empty\"} 3\n",
                           "\nvecload_time_seconds_total{phase=\"read\"} 1.5\n",
                           "\nvecload_bottleneck{bottleneck=\"service_limit\"} 0\n",
                           "\nvecload_bottleneck{bottleneck=\"source_read\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(JobMetrics, WhatIsUnknownOrUnlimitedIsAbsentRatherThanZero) {
  const char* const unknown = "vecload_eta_seconds";
  const char* const unlimited = "vecload_rate_limit_vectors_per_second";
  JobProgress progress = SomeProgress();
  EXPECT_THAT(TextOf(progress), Not(HasSubstr(unknown)));
  EXPECT_THAT(TextOf(progress), Not(HasSubstr(unlimited)));
  EXPECT_THAT(TextOf(progress), HasSubstr("\nvecload_limit_vectors_per_second 2500\n"));
  EXPECT_THAT(TextOf(progress), Not(HasSubstr("vecload_shard_")));
  progress.eta_s = 0;
  progress.rate_vectors_per_s = 1'250;
  EXPECT_THAT(TextOf(progress), HasSubstr("\nvecload_eta_seconds 0\n"));
  EXPECT_THAT(TextOf(progress), HasSubstr("\nvecload_rate_limit_vectors_per_second 1250\n"));
}

TEST(JobMetrics, TheHistogramIsCumulative) {
  JobProgress progress;
  progress.latencies.counts[0] = 2;                               // up to 5 ms
  progress.latencies.counts[4] = 3;                               // 50 to 100 ms
  progress.latencies.counts[LatencyCounts::kBoundsS.size()] = 1;  // beyond 30 s
  progress.latencies.sum_s = 40.25;
  const std::string text = TextOf(progress);
  for (const char* line :
       {"_bucket{le=\"0.005\"} 2\n", "_bucket{le=\"0.05\"} 2\n", "_bucket{le=\"0.1\"} 5\n",
        "_bucket{le=\"30\"} 5\n", "_bucket{le=\"+Inf\"} 6\n", "_sum 40.25\n", "_count 6\n"}) {
    EXPECT_THAT(text, HasSubstr(std::string("vecload_put_duration_seconds") + line));
  }
}

TEST(JobMetrics, EachShardHasItsOwnLabel) {
  JobProgress progress;
  progress.shards = {{.index = "b/i-0000", .vectors_acknowledged = 5, .rate_vectors_per_s = 2'500},
                     {.index = "b/i-0001", .in_flight = 2, .throttled = 9}};
  const std::string text = TextOf(progress);
  for (const char* line :
       {"_vectors_acknowledged_total{index=\"b/i-0000\"} 5\n",
        "_vectors_acknowledged_total{index=\"b/i-0001\"} 0\n",
        "_rate_limit_vectors_per_second{index=\"b/i-0000\"} 2500\n",
        "_in_flight{index=\"b/i-0001\"} 2\n", "_throttled_total{index=\"b/i-0001\"} 9\n"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\nvecload_shard") + line));
  }
  EXPECT_THAT(text, Not(HasSubstr("rate_limit_vectors_per_second{index=\"b/i-0001\"}")));
}

TEST(JobMetrics, ALabelCannotForgeALine) {
  JobProgress progress;
  progress.rejects = {{"a\"} 1\nforged 2\\", 1}};
  EXPECT_THAT(TextOf(progress), HasSubstr(R"(rejected_total{rule="a\"} 1\nforged 2\\"} 1)"
                                          "\n"));
}

}  // namespace
}  // namespace vecload::observe
