#include "observe/report_html.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "observe/html_text.h"
#include "observe/report.h"
#include "observe/report_style.h"
#include "observe/svg_chart.h"

namespace vecload::observe {
namespace {

// A table of more would be no page for people; the JSON report has them all.
constexpr size_t kShardsMax = 200;
constexpr size_t kSourcesMax = 20;

bool Deletes(const JobReport& report) { return report.kind == JobKind::kDelete; }

std::string_view StyleOf(Bottleneck bottleneck) {
  constexpr std::array<std::string_view, 6> kStyles = {"s1", "s2", "s3", "s4", "s5", "s6"};
  return kStyles.at(static_cast<size_t>(bottleneck));
}

// What to do about it.
std::string_view LongAdvice(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::kServiceLimit:
      return "The rate limit of the index, which is as fast as one index takes vectors. More "
             "shards are faster (--shards), and where the service allows more, --rate-vectors.";
    case Bottleneck::kServiceLatency:
      return "All requests that may be under way were waiting for answers. Raise --max-in-flight, "
             "or run nearer to the index: in its region.";
    case Bottleneck::kClientCpu:
      return "This machine was busy encoding. More cores are faster, or several machines, each "
             "with a --part.";
    case Bottleneck::kSourceRead:
      return "Reading and decoding the source. A disk or a machine nearer to the source is faster, "
             "and so are larger row groups.";
    case Bottleneck::kNetwork:
      return "Sending to the endpoint. A machine in the index's region, or with more bandwidth, is "
             "faster.";
    case Bottleneck::kMemoryBudget:
      return "The budget for rows and requests was used up. Raise --memory.";
  }
  return "";
}

std::string Rate(double per_s) {
  return WithCommas(static_cast<uint64_t>(std::clamp(per_s + 0.5, 0.0, 1e15)));
}

std::string Row(std::string_view name, std::string_view value, std::string_view note = "") {
  return fmt::format("<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td>{}</td></tr>\n",
                     Escaped(name), Escaped(value), Escaped(note));
}

std::string Fact(std::string_view name, std::string_view value) {
  return fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", Escaped(name),
                     Escaped(value));
}

std::string Tile(std::string_view value, std::string_view name) {
  return fmt::format("<li><b>{}</b>{}</li>\n", Escaped(value), Escaped(name));
}

std::string Outcome(const JobReport& report) {
  const std::string_view done = Deletes(report) ? "Deleted" : "Loaded";
  if (!report.status.ok()) return "Stopped";
  return std::string(done) + (report.vectors_rejected > 0 ? ", with rejects" : ", complete");
}

std::string_view OutcomeStyle(const JobReport& report) {
  if (!report.status.ok()) return "stopped";
  return report.vectors_rejected > 0 ? "finished_with_rejects" : "complete";
}

double LimitOf(const ReportDetails& details) {
  return details.last.has_value() ? details.last->limit_vectors_per_s : 0;
}

std::string Head(const JobReport& report, const ReportDetails& details) {
  std::string html = fmt::format("<header>\n<p class=\"outcome {}\">{}</p>\n<h1>{}</h1>\n",
                                 OutcomeStyle(report), Outcome(report), Escaped(report.index));
  if (!report.status.ok()) {
    html += fmt::format("<p>{}</p>\n", Escaped(report.status.message()));
    if (!report.journal_path.empty()) {
      html += "<p>What is done is in the journal: run the same command again to go on.</p>\n";
    }
  }
  html += fmt::format("<p class=\"soft\">{} to {}</p>\n", Escaped(details.started_at),
                      Escaped(details.ended_at));
  html += "<ul class=\"tiles\">\n";
  html += Tile(WithCommas(report.vectors_acknowledged),
               fmt::format("of {} rows acknowledged{}", WithCommas(report.rows_total),
                           report.vectors_resumed > 0 ? " in this run" : ""));
  html += Tile(HumanDuration(report.wall_s), "in all");
  html += Tile(Rate(report.vectors_per_s), "vectors/s on average");
  if (LimitOf(details) > 0) {
    html += Tile(fmt::format("{:.0f} %", 100 * report.vectors_per_s / LimitOf(details)),
                 fmt::format("of the limit, {} vectors/s", Rate(LimitOf(details))));
  }
  html += Tile(WithCommas(report.vectors_rejected), "rejects");
  html += Tile(WithCommas(report.throttled), "answers 429 or 503");
  return html + "</ul>\n</header>\n";
}

std::string Account(const JobReport& report) {
  std::string html = "<h2>Where every row is</h2>\n<table><tbody>\n";
  html +=
      Row("acknowledged", WithCommas(report.vectors_acknowledged), "by the service, in this run");
  html += Row("resumed", WithCommas(report.vectors_resumed), "acknowledged in an earlier run");
  html += Row("superseded", WithCommas(report.vectors_superseded), "another row has the same key");
  html += Row("rejected", WithCommas(report.vectors_rejected),
              report.vectors_rejected > 0 ? "see " + report.rejects_path : "");
  html += Row("remaining", WithCommas(report.rows_remaining),
              Deletes(report) ? "not deleted yet" : "not loaded yet");
  html += Row("all rows", WithCommas(report.rows_total),
              report.parts > 1 ? fmt::format("of part {}/{}", report.part, report.parts) : "");
  return html + "</tbody></table>\n";
}

std::vector<double> Times(const std::vector<TimelinePoint>& points) {
  std::vector<double> times;
  for (const TimelinePoint& point : points) times.push_back(point.elapsed_s);
  return times;
}

template <typename Value>
std::vector<double> Values(const std::vector<TimelinePoint>& points, Value value) {
  std::vector<double> values;
  for (const TimelinePoint& point : points) values.push_back(static_cast<double>(value(point)));
  return values;
}

// Answers 429 a second, between a point and the one before.
std::vector<double> ThrottledPerS(const std::vector<TimelinePoint>& points) {
  std::vector<double> values = {0};
  for (size_t i = 1; i < points.size(); ++i) {
    const double apart_s = std::max(points[i].elapsed_s - points[i - 1].elapsed_s, 1e-3);
    values.push_back(static_cast<double>(points[i].throttled - points[i - 1].throttled) / apart_s);
  }
  return values;
}

std::string Charts(const std::vector<TimelinePoint>& points) {
  std::string html = "<h2>Over time</h2>\n";
  if (points.size() < 2) return html + "<p>It was over too soon for a timeline.</p>\n";
  const std::vector<double> times = Times(points);
  using Point = TimelinePoint;
  std::vector<ChartSeries> rate = {
      {"sent", "s1", Values(points, [](const Point& p) { return p.vectors_per_s; })}};
  const auto pace = Values(points, [](const Point& p) { return p.rate_vectors_per_s; });
  const auto limit = Values(points, [](const Point& p) { return p.limit_vectors_per_s; });
  if (std::ranges::max(pace) > 0) rate.push_back({"pace", "s2", pace});
  if (std::ranges::max(limit) > 0) rate.push_back({"limit", "bound", limit});
  const std::array<ChartSeries, 3> latency = {
      ChartSeries{"p50", "s1", Values(points, [](const Point& p) { return p.latency_ms.p50; })},
      ChartSeries{"p95", "s3", Values(points, [](const Point& p) { return p.latency_ms.p95; })},
      ChartSeries{"p99", "s2", Values(points, [](const Point& p) { return p.latency_ms.p99; })}};
  const std::array<ChartSeries, 1> in_flight = {
      ChartSeries{"in flight", "s1", Values(points, [](const Point& p) { return p.in_flight; })}};
  const std::array<ChartSeries, 1> throttled = {
      ChartSeries{"throttled", "s2", ThrottledPerS(points)}};
  html += "<div class=\"charts\">\n";
  html += LineChart("Rate", "vectors/s", times, rate);
  html += LineChart("Latency of answers", "ms", times, latency);
  html += LineChart("Requests in flight", "", times, in_flight);
  if (points.back().throttled > 0) {
    html += LineChart("Throttled", "answers 429 or 503 a second", times, throttled);
  }
  return html + "</div>\n";
}

std::string Bottlenecks(const JobReport& report, const std::vector<TimelinePoint>& points) {
  std::vector<StripPart> phases;
  std::map<Bottleneck, double> seconds;
  for (size_t i = 1; i < points.size(); ++i) {
    const Bottleneck bottleneck = points[i].bottleneck;
    const double from_s = points[i - 1].elapsed_s;
    const double to_s = points[i].elapsed_s;
    seconds[bottleneck] += to_s - from_s;
    if (!phases.empty() && phases.back().style == StyleOf(bottleneck)) {
      phases.back().to_s = to_s;
    } else {
      phases.push_back({from_s, to_s, StyleOf(bottleneck), BottleneckName(bottleneck)});
    }
  }
  if (seconds.empty()) seconds[report.bottleneck] = report.wall_s;
  std::string html = "<h2>What held it back</h2>\n" + Strip("By phase", phases);
  html +=
      "<table><thead><tr><th scope=\"col\">bottleneck</th><th scope=\"col\" class=\"n\">time"
      "</th><th scope=\"col\">what helps</th></tr></thead><tbody>\n";
  std::vector<std::pair<Bottleneck, double>> longest(seconds.begin(), seconds.end());
  // Those of equal length in the order of their kinds.
  std::ranges::sort(longest, std::ranges::less(), [](const std::pair<Bottleneck, double>& one) {
    return std::pair(-one.second, one.first);
  });
  for (const auto& [bottleneck, spent_s] : longest) {
    html += fmt::format(
        "<tr><th scope=\"row\" class=\"name\"><i class=\"{}\"></i>{}</th><td "
        "class=\"n\">{}</td><td>{}</td></tr>\n",
        StyleOf(bottleneck), BottleneckName(bottleneck), HumanDuration(spent_s),
        LongAdvice(bottleneck));
  }
  return html + fmt::format("</tbody></table>\n<p>Over the whole job: <b>{}</b>.</p>\n",
                            BottleneckName(report.bottleneck));
}

std::string TimeRow(std::string_view name, double spent_s, double longest_s,
                    std::string_view note) {
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"bar\"><svg viewBox=\"0 0 "
      "1000 "
      "10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"s1\" width=\"{:.1f}\" "
      "height=\"10\"/></svg></td><td class=\"soft wide\">{}</td></tr>\n",
      name, HumanDuration(spent_s), 1000 * spent_s / longest_s, note);
}

// "Build against put": which side the time was on.
std::string BuildAgainstPut(const JobReport& report) {
  const double build_s = report.read_s + report.encode_s;
  if (build_s <= 0 || report.put_s <= 0) return "";
  return fmt::format(
      "<p>Building requests took {}, sending them and waiting for their answers {}: {}</p>\n",
      HumanDuration(build_s), HumanDuration(report.put_s),
      build_s > report.put_s
          ? "this machine is the slower side, and a faster source or more cores help."
          : "the service is the slower side, and a faster machine would change little.");
}

std::string Spent(const JobReport& report, const ReportDetails& details) {
  JobTimes times = details.last.has_value() ? details.last->times : JobTimes{};
  times.read_s = report.read_s;
  times.encode_s = report.encode_s;
  times.wait_tokens_s = report.wait_tokens_s;
  times.wait_memory_s = report.wait_memory_s;
  times.journal_s = report.journal_s;
  struct Part {
    std::string_view name;
    double spent_s;
    std::string_view note;
  };
  const std::array<Part, 7> parts = {{
      {"reading", times.read_s, "and decoding the source; all readers together"},
      {"encoding", times.encode_s, "all encoders together"},
      {"waiting for the rate limit", times.wait_tokens_s, "a request stood ready"},
      {"waiting for answers", times.wait_in_flight_s, "a request stood ready, too many were out"},
      {"waiting for requests", times.wait_batches_s, "none stood ready to be sent"},
      {"waiting for memory", times.wait_memory_s, "all threads together"},
      {"journal", times.journal_s, "writing down what is done"},
  }};
  const double longest_s = std::max(std::ranges::max(parts, {}, &Part::spent_s).spent_s, 1e-9);
  std::string html = "<h2>Where the time went</h2>\n<table><tbody>\n";
  for (const Part& part : parts) html += TimeRow(part.name, part.spent_s, longest_s, part.note);
  html += "</tbody></table>\n";
  return html + BuildAgainstPut(report) +
         "<p class=\"soft\">These happen side by side, so that they add up to more than the job "
         "took.</p>\n";
}

std::string Rejects(const JobReport& report, const ReportDetails& details) {
  if (!details.last.has_value() || details.last->rejects.empty()) return "";
  std::string html = "<h2>Rejects by rule</h2>\n<table><tbody>\n";
  for (const RejectCount& reject : details.last->rejects) {
    html += Row(reject.rule, WithCommas(reject.rows));
  }
  return html + fmt::format("</tbody></table>\n<p>Each row is told in <code>{}</code>.</p>\n",
                            Escaped(report.rejects_path));
}

std::string ShardRow(const ShardReport& shard, bool has_values) {
  std::string html = fmt::format("<tr><th scope=\"row\">{}</th>", Escaped(shard.index));
  if (has_values) html += fmt::format("<td>{}</td>", Escaped(shard.value.value_or("")));
  return html +
         fmt::format("<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
                     WithCommas(shard.vectors_acknowledged), Rate(shard.vectors_per_s),
                     WithCommas(shard.throttled));
}

std::string Shards(const JobReport& report) {
  if (report.shards.empty()) return "";
  const bool has_values = report.shards.front().value.has_value();
  std::string html = fmt::format(
      "<h2>Shards</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">index</th>{}"
      "<th scope=\"col\" class=\"n\">vectors</th><th scope=\"col\" class=\"n\">vectors/s</th>"
      "<th scope=\"col\" class=\"n\">429s</th></tr></thead><tbody>\n",
      has_values ? "<th scope=\"col\">value</th>" : "");
  const size_t shown = std::min(report.shards.size(), kShardsMax);
  for (size_t i = 0; i < shown; ++i) html += ShardRow(report.shards[i], has_values);
  html += "</tbody></table></div>\n";
  if (shown == report.shards.size()) return html;
  return html + fmt::format("<p>The first {} of {} shards; the JSON report has all.</p>\n", shown,
                            report.shards.size());
}

std::string Sources(const std::vector<std::string>& sources) {
  std::string text;
  for (size_t i = 0; i < std::min(sources.size(), kSourcesMax); ++i) {
    text += (i == 0 ? "" : ", ") + sources[i];
  }
  if (sources.size() > kSourcesMax) {
    text += fmt::format(" and {} more", sources.size() - kSourcesMax);
  }
  return text;
}

std::string Facts(const JobReport& report, const ReportDetails& details) {
  std::string html = "<h2>The job</h2>\n<table><tbody>\n";
  html += Fact("source", Sources(report.sources));
  html += Fact(Deletes(report) ? "deleted from" : "loaded into", report.index);
  html += Fact("endpoint", report.endpoint_url);
  html += Fact("key column", report.mapping.key);
  if (!Deletes(report)) html += Fact("vector column", report.mapping.vector);
  html += Fact("requests", fmt::format("{} ({} attempts), {}", WithCommas(report.requests),
                                       WithCommas(report.attempts),
                                       HumanBytes(static_cast<double>(report.bytes_sent))));
  html += Fact("latency",
               fmt::format("p50 {:.1f} ms, p95 {:.1f} ms, p99 {:.1f} ms", report.put_latency_p50_ms,
                           report.put_latency_p95_ms, report.put_latency_p99_ms));
  if (report.vectors_acknowledged > 0 && !Deletes(report)) {
    html += Fact("a billion vectors", HumanDuration(report.projected_1b_s) + " at this rate");
  }
  html +=
      Fact("this machine", fmt::format("{}{} cores; {:.1f} us CPU a vector, {} peak memory",
                                       details.cpu_model.empty() ? "" : details.cpu_model + ", ",
                                       details.cores, report.cpu_us_per_vector,
                                       HumanBytes(static_cast<double>(report.rss_bytes_max))));
  if (!report.journal_path.empty()) html += Fact("journal", report.journal_path);
  html += Fact("vecload", details.version);
  return html + fmt::format("</tbody></table>\n<pre><code>{}</code></pre>\n",
                            Escaped(details.command_line));
}

}  // namespace

std::string ReportHtml(const JobReport& report, const ReportDetails& details) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>{}: {}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      Outcome(report), Escaped(report.index), kReportStyle);
  html += Head(report, details);
  html += Account(report);
  const std::vector<TimelinePoint> points = details.timeline.points();
  html += Charts(points);
  html += Bottlenecks(report, points);
  html += Spent(report, details);
  html += Rejects(report, details);
  html += Shards(report);
  html += Facts(report, details);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace vecload::observe
