#include "observe/report.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "base/json_text.h"

namespace vecload {

std::string_view JobKindName(JobKind kind) { return kind == JobKind::kDelete ? "delete" : "load"; }

std::string_view BottleneckName(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::kServiceLimit:
      return "service_limit";
    case Bottleneck::kServiceLatency:
      return "service_latency";
    case Bottleneck::kClientCpu:
      return "client_cpu";
    case Bottleneck::kSourceRead:
      return "source_read";
    case Bottleneck::kNetwork:
      return "network";
    case Bottleneck::kMemoryBudget:
      return "memory_budget";
  }
  return "network";
}

namespace observe {
namespace {

// Leaves room for the verdict and a usual index name within 80 columns.
constexpr size_t kSourceColumns = 40;

void Number(JsonWriter* json, std::string_view key, double value) { json->Key(key).Rounded(value); }

bool Deletes(const JobReport& report) { return report.kind == JobKind::kDelete; }

std::string_view Outcome(const JobReport& report) {
  if (!report.status.ok()) return "stopped";
  return report.vectors_rejected > 0 ? "finished_with_rejects" : "complete";
}

std::string_view Advice(const JobReport& report) {
  switch (report.bottleneck) {
    case Bottleneck::kServiceLimit:
      return Deletes(report) ? "an index's limit" : "one index's limit; more --shards are faster";
    case Bottleneck::kServiceLatency:
      return "answers are slow; raise --max-in-flight";
    case Bottleneck::kClientCpu:
      return "this machine encodes; more cores are faster";
    case Bottleneck::kSourceRead:
      return "reading the source";
    case Bottleneck::kNetwork:
      return "sending to the endpoint";
    case Bottleneck::kMemoryBudget:
      return "memory; raise --memory";
  }
  return "";
}

void WriteRows(const JobReport& report, JsonWriter* json) {
  json->Key("rows_total").Uint(report.rows_total);
  json->Key("vectors_acknowledged").Uint(report.vectors_acknowledged);
  json->Key("vectors_resumed").Uint(report.vectors_resumed);
  json->Key("vectors_rejected").Uint(report.vectors_rejected);
  json->Key("vectors_superseded").Uint(report.vectors_superseded);
  json->Key("rows_remaining").Uint(report.rows_remaining);
  json->Key("requests").Uint(report.requests);
  json->Key("attempts").Uint(report.attempts);
  json->Key("throttled").Uint(report.throttled);
  json->Key("bytes_sent").Uint(report.bytes_sent);
}

void WriteTimes(const JobReport& report, JsonWriter* json) {
  Number(json, "wall_s", report.wall_s);
  Number(json, "vectors_per_s", report.vectors_per_s);
  Number(json, "cpu_s", report.cpu_s);
  Number(json, "cpu_us_per_vector", report.cpu_us_per_vector);
  json->Key("rss_bytes_max").Uint(report.rss_bytes_max);
  Number(json, "read_s", report.read_s);
  Number(json, "encode_s", report.encode_s);
  Number(json, "wait_tokens_s", report.wait_tokens_s);
  Number(json, "wait_memory_s", report.wait_memory_s);
  Number(json, "journal_s", report.journal_s);
  Number(json, "put_s", report.put_s);
  json->Key("put_latency_ms").BeginObject();
  Number(json, "p50", report.put_latency_p50_ms);
  Number(json, "p95", report.put_latency_p95_ms);
  Number(json, "p99", report.put_latency_p99_ms);
  json->EndObject();
  json->Key("bottleneck").String(BottleneckName(report.bottleneck));
  Number(json, "projected_1b_s", report.projected_1b_s);
}

void WriteShards(const JobReport& report, JsonWriter* json) {
  json->Key("shards").BeginArray();
  for (const ShardReport& shard : report.shards) {
    json->BeginObject();
    json->Key("index").String(shard.index);
    if (shard.value.has_value()) json->Key("value").String(*shard.value);
    json->Key("vectors_acknowledged").Uint(shard.vectors_acknowledged);
    Number(json, "vectors_per_s", shard.vectors_per_s);
    json->Key("throttled").Uint(shard.throttled);
    json->EndObject();
  }
  json->EndArray();
}

void WriteColumns(const ColumnMapping& mapping, JsonWriter* json) {
  json->Key("vector_column").String(mapping.vector);
  json->Key("metadata_columns").BeginArray();
  for (const std::string& column : mapping.metadata) json->String(column);
  json->EndArray();
  if (!mapping.shard_by.empty()) json->Key("shard_by").String(mapping.shard_by);
  if (!mapping.metadata_json.empty()) json->Key("metadata_json").String(mapping.metadata_json);
}

void WriteJob(const JobReport& report, JsonWriter* json) {
  json->Key("job").String(JobKindName(report.kind));
  json->Key("index").String(report.index);
  json->Key("endpoint_url").String(report.endpoint_url);
  json->Key("sources").BeginArray();
  for (const std::string& source : report.sources) json->String(source);
  json->EndArray();
  json->Key("part").Uint(report.part);
  json->Key("parts").Uint(report.parts);
  json->Key("key_column").String(report.mapping.key);
  if (!Deletes(report)) WriteColumns(report.mapping, json);
  if (report.vectors_rejected > 0) json->Key("rejects").String(report.rejects_path);
  if (!report.journal_path.empty()) json->Key("journal").String(report.journal_path);
}

// A long path's end tells more than its beginning.
std::string Tail(const std::string& text, size_t columns) {
  if (text.size() <= columns) return text;
  size_t begin = text.size() - columns + 3;
  while (begin < text.size() && (static_cast<uint8_t>(text[begin]) & 0xc0) == 0x80) ++begin;
  return "..." + text.substr(begin);
}

void Line(std::string* out, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(*out), "  {:<14}{}\n", name, value);
}

std::string ShardsLine(const std::vector<ShardReport>& shards) {
  const auto [slowest, fastest] =
      std::ranges::minmax_element(shards, {}, &ShardReport::vectors_per_s);
  return fmt::format("{}: {:.0f} ({}) to {:.0f} vectors/s", shards.size(), slowest->vectors_per_s,
                     Tail(slowest->index.substr(slowest->index.rfind('/') + 1), kSourceColumns / 2),
                     fastest->vectors_per_s);
}

void CountLine(std::string* out, std::string_view name, uint64_t count, std::string_view note) {
  fmt::format_to(std::back_inserter(*out), "  {:<14}{:>15}{}{}\n", name, WithCommas(count),
                 note.empty() ? "" : "  ", note);
}

void RowLines(const JobReport& report, std::string* out) {
  CountLine(out, "rows", report.rows_total,
            report.parts > 1 ? fmt::format("part {}/{}", report.part, report.parts) : "");
  CountLine(out, "acknowledged", report.vectors_acknowledged, "");
  if (report.vectors_resumed > 0) {
    CountLine(out, "resumed", report.vectors_resumed, "acknowledged by an earlier run");
  }
  if (report.vectors_superseded > 0) {
    CountLine(out, "superseded", report.vectors_superseded, "another row has the same key");
  }
  if (report.vectors_rejected > 0) {
    CountLine(out, "rejected", report.vectors_rejected, "see " + report.rejects_path);
  }
  if (report.rows_remaining > 0) {
    CountLine(out, "remaining", report.rows_remaining,
              Deletes(report) ? "not deleted" : "not loaded");
  }
  if (!report.status.ok() && !report.journal_path.empty()) {
    Line(out, "journal", report.journal_path);
  }
}

void WriteAll(const JobReport& report, JsonWriter* json) {
  json->Key("status").String(Outcome(report));
  json->Key("exit_code").Int(report.exit_code);
  if (!report.status.ok()) {
    json->Key("error").BeginObject();
    json->Key("code").String(CodeName(report.status.code()));
    json->Key("message").String(report.status.message());
    json->EndObject();
  }
  WriteJob(report, json);
  WriteRows(report, json);
  WriteTimes(report, json);
  if (!report.shards.empty()) WriteShards(report, json);
}

void WriteDetails(const ReportDetails& details, JsonWriter* json) {
  json->Key("started_at").String(details.started_at);
  json->Key("ended_at").String(details.ended_at);
  json->Key("version").String(details.version);
  json->Key("command_line").String(details.command_line);
  json->Key("cores").Uint(details.cores);
  if (!details.cpu_model.empty()) json->Key("cpu_model").String(details.cpu_model);
  if (details.last.has_value()) {
    Number(json, "limit_vectors_per_s", details.last->limit_vectors_per_s);
    Number(json, "wait_in_flight_s", details.last->times.wait_in_flight_s);
    Number(json, "wait_batches_s", details.last->times.wait_batches_s);
    json->Key("rejects_by_rule").BeginArray();
    for (const RejectCount& reject : details.last->rejects) {
      json->BeginObject().Key("rule").String(reject.rule).Key("rows").Uint(reject.rows).EndObject();
    }
    json->EndArray();
  }
  json->Key("timeline").Raw(details.timeline.Json());
}

}  // namespace

std::string ReportJson(const JobReport& report) {
  JsonWriter json;
  json.BeginObject();
  WriteAll(report, &json);
  json.EndObject();
  return json.Take() + "\n";
}

std::string ReportJson(const JobReport& report, const ReportDetails& details) {
  JsonWriter json;
  json.BeginObject();
  WriteAll(report, &json);
  WriteDetails(details, &json);
  json.EndObject();
  return json.Take() + "\n";
}

std::string ReportText(const JobReport& report) {
  std::string out;
  const std::string_view done = Deletes(report) ? "deleted" : "loaded";
  const std::string_view head = report.status.ok() ? done : "stopped";
  fmt::format_to(std::back_inserter(out), "{}{}: {} {} {}\n", head,
                 report.status.ok() && report.vectors_rejected > 0 ? ", with rejects" : "",
                 report.sources.size() == 1 ? Tail(report.sources.front(), kSourceColumns)
                                            : fmt::format("{} sources", report.sources.size()),
                 Deletes(report) ? "from" : "->", report.index);
  RowLines(report, &out);
  Line(&out, "time",
       fmt::format("{}, {:.0f} vectors/s", HumanDuration(report.wall_s), report.vectors_per_s));
  if (!report.shards.empty()) Line(&out, "shards", ShardsLine(report.shards));
  Line(&out, "requests",
       fmt::format("{} ({} attempts, {} throttled), {}", WithCommas(report.requests),
                   WithCommas(report.attempts), WithCommas(report.throttled),
                   HumanBytes(static_cast<double>(report.bytes_sent))));
  Line(&out, Deletes(report) ? "latency" : "put latency",
       fmt::format("p50 {:.1f} ms, p95 {:.1f} ms, p99 {:.1f} ms", report.put_latency_p50_ms,
                   report.put_latency_p95_ms, report.put_latency_p99_ms));
  Line(&out, "this machine",
       fmt::format("{:.1f} us CPU a vector, {} peak memory", report.cpu_us_per_vector,
                   HumanBytes(static_cast<double>(report.rss_bytes_max))));
  Line(&out, "bottleneck",
       fmt::format("{}: {}", BottleneckName(report.bottleneck), Advice(report)));
  if (report.vectors_acknowledged > 0 && !Deletes(report)) {
    Line(&out, "a billion",
         fmt::format("would take {} at this rate", HumanDuration(report.projected_1b_s)));
  }
  return out;
}

std::string WithCommas(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string HumanDuration(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<uint64_t>(seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (seconds < 86400) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{:.1f} days", seconds / 86400);
}

std::string HumanBytes(double bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

}  // namespace observe
}  // namespace vecload
