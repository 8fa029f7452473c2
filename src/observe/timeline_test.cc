// Goal: a course of any length fits into a bounded number of points that cover it evenly, and its
// JSON has the names that the pages read.
#include "observe/timeline.h"

#include <gtest/gtest.h>

namespace vecload::observe {
namespace {

JobProgress At(double elapsed_s) {
  JobProgress progress;
  progress.elapsed_s = elapsed_s;
  progress.vectors_per_s = 10 * elapsed_s;
  return progress;
}

TEST(Timeline, KeepsEveryPointOfAShortJob) {
  Timeline timeline;
  EXPECT_TRUE(timeline.points().empty());
  for (int i = 0; i < 100; ++i) timeline.Add(At(0.5 * i));
  ASSERT_EQ(timeline.points().size(), 100U);
  EXPECT_EQ(timeline.points()[7].elapsed_s, 3.5);
  EXPECT_EQ(timeline.points()[7].vectors_per_s, 35);
}

TEST(Timeline, CoversAnyLengthEvenly) {
  for (const int samples : {50, 51, 1'000, 1'000'000}) {
    Timeline timeline(50);
    for (int i = 0; i < samples; ++i) timeline.Add(At(0.5 * i));
    const auto points = timeline.points();
    ASSERT_LE(points.size(), 50U);
    ASSERT_GE(points.size(), 25U);
    EXPECT_EQ(points.front().elapsed_s, 0);
    EXPECT_EQ(points.back().elapsed_s, 0.5 * (samples - 1)) << "the last one is always there";
    const double apart = points[1].elapsed_s;
    for (size_t i = 1; i + 1 < points.size(); ++i) {
      EXPECT_NEAR(points[i].elapsed_s - points[i - 1].elapsed_s, apart, 0.1 * apart)
          << "point " << i << " of " << samples;
    }
  }
}

TEST(Timeline, IsToldAsJson) {
  Timeline timeline;
  JobProgress progress = At(1.5);
  progress.latency_ms = {.p50 = 20, .p95 = 30.5, .p99 = 40};
  progress.throttled = 3;
  progress.vectors_rejected = 4;
  progress.bottleneck = Bottleneck::kClientCpu;
  timeline.Add(progress);
  EXPECT_EQ(timeline.Json(),
            R"([{"elapsed_s":1.500,"vectors_per_s":15.000,"rate_vectors_per_s":0.000,)"
            R"("limit_vectors_per_s":0.000,"p50":20.000,"p95":30.500,"p99":40.000,"in_flight":0,)"
            R"("throttled":3,"rejected":4,"bottleneck":"client_cpu"}])");
}

}  // namespace
}  // namespace vecload::observe
