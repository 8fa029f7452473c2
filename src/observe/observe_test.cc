// Goal: people and programs read the same figures, and percentiles are right within 2 %.
// Method: made-up reports and progress, compared with text written out here.
#include <string>

#include <gtest/gtest.h>

#include "observe/latency_histogram.h"
#include "observe/report.h"

namespace vecload::observe {
namespace {

JobReport SomeReport() {
  JobReport report;
  report.exit_code = 3;
  report.rows_total = 1'000'010;
  report.vectors_acknowledged = 1'000'000;
  report.vectors_rejected = 7;
  report.vectors_superseded = 3;
  report.wall_s = 400;
  report.vectors_per_s = 2'500;
  report.projected_1b_s = 400'000;
  report.sources = {"a\"b.parquet"};
  report.index = "media/films";
  report.rejects_path = "films-rejects.jsonl";
  return report;
}

TEST(Report, TextAccountsForEveryRow) {
  const std::string text = ReportText(SomeReport());
  for (const char* part : {"1,000,010", "1,000,000", "rejected", "films-rejects.jsonl",
                           "superseded", "6 min 40 s, 2500 vectors/s", "4.6 days"}) {
    EXPECT_NE(text.find(part), text.npos) << part << " is not in\n" << text;
  }
  EXPECT_EQ(text.find("remaining"), text.npos);
}

TEST(Report, JsonHasTheDocumentedFields) {
  const std::string json = ReportJson(SomeReport());
  for (const char* part :
       {R"("status":"finished_with_rejects")", R"("exit_code":3)", R"("rows_total":1000010)",
        R"("vectors_acknowledged":1000000)", R"("rows_remaining":0)", R"("wall_s":400.000)",
        R"("put_latency_ms":{"p50":0.000)", R"("bottleneck":"service_limit")",
        R"("sources":["a\"b.parquet"])", R"("rejects":"films-rejects.jsonl")"}) {
    EXPECT_NE(json.find(part), json.npos) << part << " is not in\n" << json;
  }
}

TEST(Report, AStoppedLoadSaysWhy) {
  JobReport report = SomeReport();
  report.status = Status::Denied("no permission");
  report.rows_remaining = 12;
  EXPECT_NE(ReportJson(report).find(
                R"("status":"stopped","exit_code":3,"error":{"code":"denied","message":"no perm)"),
            std::string::npos);
  EXPECT_NE(ReportText(report).find("remaining"), std::string::npos);
}

TEST(Report, ADeletionIsNotToldAsALoad) {
  JobReport report = SomeReport();
  report.kind = JobKind::kDelete;
  report.rows_remaining = 12;
  const std::string text = ReportText(report);
  EXPECT_EQ(text.find("deleted, with rejects: a\"b.parquet from media/films\n"), 0u) << text;
  EXPECT_NE(text.find("not deleted"), text.npos) << text;
  for (const char* part : {"load", "put", "a billion"}) {
    EXPECT_EQ(text.find(part), text.npos) << part << " is in\n" << text;
  }
  const std::string json = ReportJson(report);
  EXPECT_NE(json.find(R"("job":"delete")"), json.npos) << json;
  EXPECT_EQ(json.find("vector_column"), json.npos) << json;
  EXPECT_NE(ReportJson(SomeReport()).find(R"("job":"load")"), json.npos);
}

TEST(Report, NumbersAreForPeople) {
  EXPECT_EQ(WithCommas(0), "0");
  EXPECT_EQ(WithCommas(999), "999");
  EXPECT_EQ(WithCommas(1'000), "1,000");
  EXPECT_EQ(WithCommas(1'234'567), "1,234,567");
  EXPECT_EQ(HumanDuration(3.21), "3.2 s");
  EXPECT_EQ(HumanDuration(75), "1 min 15 s");
  EXPECT_EQ(HumanDuration(7'260), "2 h 1 min");
  EXPECT_EQ(HumanBytes(1'536), "1.5 KiB");
}

TEST(LatencyHistogram, PercentilesAreWithinTwoPerCent) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.PercentileMs(0.5), 0);
  for (int ms = 1; ms <= 1'000; ++ms) histogram.Add(std::chrono::milliseconds(ms));
  EXPECT_NEAR(histogram.PercentileMs(0.5), 500, 10);
  EXPECT_NEAR(histogram.PercentileMs(0.99), 990, 20);
  EXPECT_NEAR(histogram.PercentileMs(1), 1'000, 20);
  histogram.Add(std::chrono::hours(100));
  EXPECT_GT(histogram.PercentileMs(1), 1e6);
}

}  // namespace
}  // namespace vecload::observe
