// Goal: the page tells the outcome, nothing in a name becomes markup, and no secret stands in it.
// Method: made-up reports, searched for text; that it is well-formed HTML is told by a stranger's
// parser in tests/e2e/report_test.py.
#include "observe/report_html.h"

#include <string>

#include <gtest/gtest.h>

#include "observe/html_text.h"
#include "observe/report.h"

namespace vecload::observe {
namespace {

JobReport SomeReport() {
  JobReport report;
  report.exit_code = 3;
  report.rows_total = 1'000'007;
  report.vectors_acknowledged = 1'000'000;
  report.vectors_rejected = 7;
  report.wall_s = 400;
  report.vectors_per_s = 2'500;
  report.projected_1b_s = 400'000;
  report.read_s = 3;
  report.encode_s = 5;
  report.put_s = 800;
  report.sources = {"in.parquet"};
  report.index = "media/films";
  report.rejects_path = "films-rejects.jsonl";
  return report;
}

JobProgress ProgressAt(double elapsed_s, Bottleneck bottleneck) {
  JobProgress progress;
  progress.elapsed_s = elapsed_s;
  progress.vectors_per_s = 2'000;
  progress.rate_vectors_per_s = 2'400;
  progress.limit_vectors_per_s = 2'500;
  progress.latency_ms = {.p50 = 10, .p95 = 20, .p99 = 40};
  progress.throttled = static_cast<uint64_t>(elapsed_s);
  progress.bottleneck = bottleneck;
  progress.rejects = {{"vector_zero_norm", 7}};
  return progress;
}

ReportDetails SomeDetails() {
  ReportDetails details;
  details.started_at = "2026-11-26T20:00:00Z";
  details.ended_at = "2026-11-26T20:06:40Z";
  details.command_line = "vecload load in.parquet";
  for (int i = 0; i <= 10; ++i) {
    details.last =
        ProgressAt(40 * i, i <= 4 ? Bottleneck::kServiceLatency : Bottleneck::kServiceLimit);
    details.timeline.Add(*details.last);
  }
  return details;
}

bool Has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

TEST(ReportHtml, TellsOutcomeRowsLimitAndCauses) {
  const std::string html = ReportHtml(SomeReport(), SomeDetails());
  for (const char* part :
       {"Loaded, with rejects", "<h1>media/films</h1>", "<b>1,000,000</b>of 1,000,007 rows",
        "<b>100 %</b>of the limit, 2,500 vectors/s", "2026-11-26T20:00:00Z to 2026-11-26T20:06:40Z",
        "vector_zero_norm", "4.6 days at this rate", "the service is the slower side",
        "vecload load in.parquet"}) {
    EXPECT_TRUE(Has(html, part)) << part << " is not in\n" << html;
  }
  // The longer phase first.
  EXPECT_LT(html.find("</i>service_limit</th><td class=\"n\">4 min 0 s"),
            html.find("</i>service_latency</th><td class=\"n\">2 min 40 s"));
  EXPECT_TRUE(Has(html, "<title>service_latency: 0.0 s to 2 min 40 s</title>"));
}

TEST(ReportHtml, DrawsEachChartToItsScale) {
  const std::string html = ReportHtml(SomeReport(), SomeDetails());
  // 2,000 and 2,500 of 2,500; 40 of 50 ms; each at both ends.
  EXPECT_TRUE(Has(html, "<polyline class=\"s1\" points=\"0.0,40.0 "));
  EXPECT_TRUE(Has(html, "<polyline class=\"bound\" points=\"0.0,0.0 "));
  EXPECT_TRUE(Has(html, " 1000.0,40.0\"/>"));
  EXPECT_TRUE(Has(html, "<polyline class=\"s2\" points=\"0.0,40.0 "));
}

TEST(ReportHtml, WithoutAnyProgressItStillTellsTheOutcome) {
  JobReport report = SomeReport();
  report.status = Status::Denied("no permission for <index>");
  const ReportDetails nothing;
  const std::string html = ReportHtml(report, nothing);
  EXPECT_TRUE(Has(html, "class=\"outcome stopped\">Stopped<"));
  EXPECT_TRUE(Has(html, "no permission for &lt;index&gt;"));
  EXPECT_TRUE(Has(html, "over too soon"));
  EXPECT_FALSE(Has(html, "nan"));
  EXPECT_FALSE(Has(html, "inf"));
}

TEST(ReportHtml, NoNameBecomesMarkup) {
  const std::string evil = "<script>alert('1')</script>\"&";
  JobReport report = SomeReport();
  ReportDetails details = SomeDetails();
  report.status = Status::Io(evil);
  report.index = report.endpoint_url = report.rejects_path = report.journal_path = evil;
  report.mapping.key = report.mapping.vector = evil;
  report.sources = {evil};
  report.shards = {{.index = evil, .value = evil}};
  details.command_line = details.cpu_model = details.started_at = details.version = evil;
  details.last->rejects = {{evil, 1}};
  const std::string html = ReportHtml(report, details);
  EXPECT_FALSE(Has(html, "<script"));
  EXPECT_FALSE(Has(html, "('1')"));
  EXPECT_FALSE(Has(html, "</script>"));
  EXPECT_TRUE(Has(html, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"));
}

TEST(ReportHtml, ALongListIsCutAndSaysSo) {
  JobReport report = SomeReport();
  report.shards.resize(1'000);
  report.sources.assign(100, "in.parquet");
  const std::string html = ReportHtml(report, SomeDetails());
  EXPECT_TRUE(Has(html, "The first 200 of 1000 shards"));
  EXPECT_TRUE(Has(html, "and 80 more"));
}

TEST(HtmlText, WhatHtmlCannotHoldIsReplaced) {
  EXPECT_EQ(Escaped("a<b>&\"'\n\tü"), "a&lt;b&gt;&amp;&quot;&#39;\n\tü");
  EXPECT_EQ(Escaped(std::string_view("a\0\x1b\x7f", 4)), "a\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(Escaped("\xff<"), "\uFFFD&lt;");
}

TEST(ReportDetails, SecretsAreHidden) {
  EXPECT_EQ(WithoutSecrets("--endpoint-url https://me:pass@host:1/a@b", {}),
            "--endpoint-url https://***@host:1/a@b");
  EXPECT_EQ(WithoutSecrets("http://a:b@h http://c@h", {}), "http://***@h http://***@h");
  EXPECT_EQ(WithoutSecrets("f?X-Amz-Credential=AK&X-Amz-Signature=12&x=1", {}),
            "f?X-Amz-Credential=***&X-Amz-Signature=***&x=1");
  EXPECT_EQ(WithoutSecrets("k=wJalrXUtnFEMI wJalrXUtnFEMI", {"wJalrXUtnFEMI", ""}), "k=*** ***");
  EXPECT_EQ(WithoutSecrets("s3://bucket/*.parquet a@b", {"a"}), "s3://bucket/*.parquet a@b");
}

TEST(ReportJson, AKeptReportHasTheTimeline) {
  const std::string json = ReportJson(SomeReport(), SomeDetails());
  for (const char* part :
       {R"("started_at":"2026-11-26T20:00:00Z")", R"("limit_vectors_per_s":2500.000)",
        R"("rejects_by_rule":[{"rule":"vector_zero_norm","rows":7}])",
        R"("timeline":[{"elapsed_s":0.000,"vectors_per_s":2000.000)"}) {
    EXPECT_TRUE(Has(json, part)) << part << " is not in\n" << json;
  }
}

}  // namespace
}  // namespace vecload::observe
