#include "observe/progress_json.h"

#include "base/json_text.h"
#include "observe/report.h"

namespace vecload::observe {
namespace {

void Number(JsonWriter* json, std::string_view key, double value) { json->Key(key).Rounded(value); }

void WriteCounts(const JobProgress& progress, JsonWriter* json) {
  json->Key("rows_total").Uint(progress.rows_total);
  json->Key("rows_done").Uint(progress.rows_done);
  json->Key("vectors_acknowledged").Uint(progress.vectors_acknowledged);
  json->Key("vectors_resumed").Uint(progress.vectors_resumed);
  json->Key("vectors_rejected").Uint(progress.vectors_rejected);
  json->Key("vectors_superseded").Uint(progress.vectors_superseded);
  json->Key("requests").Uint(progress.requests);
  json->Key("attempts").Uint(progress.attempts);
  json->Key("throttled").Uint(progress.throttled);
  json->Key("bytes_sent").Uint(progress.bytes_sent);
  json->Key("in_flight").Uint(progress.in_flight);
  json->Key("files_total").Uint(progress.files_total);
  json->Key("files_done").Uint(progress.files_done);
}

void WriteRates(const JobProgress& progress, JsonWriter* json) {
  Number(json, "vectors_per_s", progress.vectors_per_s);
  Number(json, "vectors_per_s_mean", progress.vectors_per_s_mean);
  Number(json, "rate_vectors_per_s", progress.rate_vectors_per_s);
  Number(json, "limit_vectors_per_s", progress.limit_vectors_per_s);
  Number(json, "elapsed_s", progress.elapsed_s);
  if (progress.eta_s.has_value()) Number(json, "eta_s", *progress.eta_s);
  json->Key("bottleneck").String(BottleneckName(progress.bottleneck));
  json->Key("latency_ms").BeginObject();
  Number(json, "p50", progress.latency_ms.p50);
  Number(json, "p95", progress.latency_ms.p95);
  Number(json, "p99", progress.latency_ms.p99);
  json->EndObject();
}

void WriteTimes(const JobTimes& times, JsonWriter* json) {
  json->Key("times").BeginObject();
  Number(json, "read_s", times.read_s);
  Number(json, "encode_s", times.encode_s);
  Number(json, "wait_tokens_s", times.wait_tokens_s);
  Number(json, "wait_in_flight_s", times.wait_in_flight_s);
  Number(json, "wait_batches_s", times.wait_batches_s);
  Number(json, "wait_memory_s", times.wait_memory_s);
  Number(json, "journal_s", times.journal_s);
  Number(json, "put_s", times.put_s);
  json->EndObject();
}

}  // namespace

std::string ProgressJson(const JobProgress& progress) {
  JsonWriter json;
  json.BeginObject();
  WriteCounts(progress, &json);
  WriteRates(progress, &json);
  WriteTimes(progress.times, &json);
  json.Key("rejects").BeginArray();
  for (const RejectCount& reject : progress.rejects) {
    json.BeginObject().Key("rule").String(reject.rule).Key("rows").Uint(reject.rows).EndObject();
  }
  json.EndArray();
  return json.EndObject().Take();
}

std::string DetailJson(const JobProgress& progress) {
  JsonWriter json;
  json.BeginObject().Key("files").BeginArray();
  for (const FileProgress& file : progress.files) {
    json.BeginObject().Key("file").String(file.file);
    json.Key("rows_total").Uint(file.rows_total).Key("rows_done").Uint(file.rows_done).EndObject();
  }
  json.EndArray().Key("shards").BeginArray();
  for (const ShardProgress& shard : progress.shards) {
    json.BeginObject().Key("index").String(shard.index);
    json.Key("vectors_acknowledged").Uint(shard.vectors_acknowledged);
    Number(&json, "vectors_per_s", shard.vectors_per_s);
    Number(&json, "rate_vectors_per_s", shard.rate_vectors_per_s);
    json.Key("in_flight").Uint(shard.in_flight);
    json.Key("throttled").Uint(shard.throttled).EndObject();
  }
  return json.EndArray().EndObject().Take();
}

}  // namespace vecload::observe
