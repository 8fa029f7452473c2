#include "bindings/reports.h"

#include <string>
#include <vector>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bindings/status_error.h"

namespace vecload::python {

namespace nb = nanobind;

namespace {

// Keys may be any bytes that a source had; Python gets what UTF-8 cannot say as surrogates.
nb::object Text(const std::string& text) {
  return nb::steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape"));
}

nb::dict ToDict(const ShardReport& shard);
nb::dict ToDict(const PlannedValue& value);
nb::dict ToDict(const RepeatedKey::Row& row);
nb::dict ToDict(const RepeatedKey& key);

nb::dict ToDict(const PlannedReject& reject);
nb::dict ToDict(const ShardTime& time);

template <typename T>
nb::list List(const std::vector<T>& items) {
  nb::list list;
  for (const T& item : items) list.append(ToDict(item));
  return list;
}

nb::dict ToDict(const ShardReport& shard) {
  nb::dict dict;
  dict["index"] = shard.index;
  dict["value"] = shard.value;
  dict["vectors_acknowledged"] = shard.vectors_acknowledged;
  dict["vectors_per_s"] = shard.vectors_per_s;
  dict["throttled"] = shard.throttled;
  return dict;
}

nb::dict ToDict(const PlannedValue& value) {
  nb::dict dict;
  dict["value"] = value.value;
  dict["index"] = value.index;
  dict["rows"] = value.rows;
  return dict;
}

nb::dict ToDict(const RepeatedKey::Row& row) {
  nb::dict dict;
  dict["file"] = row.file;
  dict["row"] = row.row;
  return dict;
}

nb::dict ToDict(const RepeatedKey& key) {
  nb::dict dict;
  dict["key"] = Text(key.key);
  dict["count"] = key.count;
  dict["rows"] = List(key.rows);
  return dict;
}

void AddColumns(const ColumnMapping& mapping, nb::dict* dict) {
  (*dict)["key_column"] = mapping.key;
  (*dict)["vector_column"] = mapping.vector;
  (*dict)["metadata_columns"] = mapping.metadata;
  (*dict)["metadata_json"] = mapping.metadata_json;
}

void AddRows(const LoadReport& report, nb::dict* to) {
  nb::dict& dict = *to;
  dict["rows_total"] = report.rows_total;
  dict["vectors_acknowledged"] = report.vectors_acknowledged;
  dict["vectors_resumed"] = report.vectors_resumed;
  dict["vectors_rejected"] = report.vectors_rejected;
  dict["vectors_superseded"] = report.vectors_superseded;
  dict["rows_remaining"] = report.rows_remaining;
  dict["requests"] = report.requests;
  dict["attempts"] = report.attempts;
  dict["throttled"] = report.throttled;
  dict["bytes_sent"] = report.bytes_sent;
}

void AddTimes(const LoadReport& report, nb::dict* to) {
  nb::dict& dict = *to;
  dict["wall_s"] = report.wall_s;
  dict["vectors_per_s"] = report.vectors_per_s;
  dict["cpu_s"] = report.cpu_s;
  dict["cpu_us_per_vector"] = report.cpu_us_per_vector;
  dict["rss_bytes_max"] = report.rss_bytes_max;
  dict["read_s"] = report.read_s;
  dict["encode_s"] = report.encode_s;
  dict["wait_tokens_s"] = report.wait_tokens_s;
  dict["wait_memory_s"] = report.wait_memory_s;
  dict["journal_s"] = report.journal_s;
  dict["put_s"] = report.put_s;
  nb::dict latency;
  latency["p50"] = report.put_latency_p50_ms;
  latency["p95"] = report.put_latency_p95_ms;
  latency["p99"] = report.put_latency_p99_ms;
  dict["put_latency_ms"] = latency;
  dict["bottleneck"] = BottleneckName(report.bottleneck);
  dict["projected_1b_s"] = report.projected_1b_s;
}

}  // namespace

nb::dict ToDict(const LoadProgress& progress) {
  nb::dict dict;
  dict["rows_total"] =
      progress.rows_total < kRowsUnknown ? nb::cast(progress.rows_total) : nb::object(nb::none());
  dict["rows_done"] = progress.rows_done;
  dict["vectors_acknowledged"] = progress.vectors_acknowledged;
  dict["vectors_rejected"] = progress.vectors_rejected;
  dict["throttled"] = progress.throttled;
  dict["in_flight"] = progress.in_flight;
  dict["vectors_per_s"] = progress.vectors_per_s;
  dict["rate_vectors_per_s"] = progress.rate_vectors_per_s;
  dict["elapsed_s"] = progress.elapsed_s;
  dict["eta_s"] = progress.eta_s;
  return dict;
}

nb::dict ToDict(const LoadReport& report) {
  nb::dict dict;
  dict["error"] = ErrorOf(report.status);
  dict["exit_code"] = report.exit_code;
  dict["index"] = report.index;
  dict["endpoint_url"] = report.endpoint_url;
  dict["sources"] = report.sources;
  dict["part"] = report.part;
  dict["parts"] = report.parts;
  AddColumns(report.mapping, &dict);
  dict["rejects"] = report.vectors_rejected > 0 ? report.rejects_path : std::string();
  dict["journal"] = report.journal_path;
  AddRows(report, &dict);
  AddTimes(report, &dict);
  dict["shards"] = List(report.shards);
  return dict;
}

nb::dict ToDict(const PlannedReject& reject) {
  nb::dict dict;
  dict["rule"] = reject.rule;
  dict["rows"] = reject.rows;
  dict["file"] = Text(reject.file);
  dict["row"] = reject.row;
  dict["message"] = Text(reject.message);
  return dict;
}

nb::dict ToDict(const ShardTime& time) {
  nb::dict dict;
  dict["shards"] = time.shards;
  dict["requests"] = time.requests;
  dict["load_s"] = time.load_s;
  return dict;
}

nb::dict ToDict(const PlannedCost& cost) {
  nb::dict dict;
  dict["currency"] = cost.currency;
  dict["load"] = cost.load;
  dict["storage_month"] = cost.storage_month;
  dict["queries_1000"] = cost.queries_1000;
  dict["verify_lists"] = nb::none();
  if (!cost.verify_lists.empty()) dict["verify_lists"] = cost.verify_lists;
  dict["region"] = cost.region;
  dict["prices_source"] = cost.prices_source;
  dict["prices_date"] = cost.prices_date;
  return dict;
}

void AddSample(const LoadPlan& plan, nb::dict* dict) {
  (*dict)["sample_rows"] = plan.sample_rows;
  (*dict)["sample_rows_read"] = plan.sample_rows_read;
  (*dict)["sample_rejects"] = List(plan.sample_rejects);
  (*dict)["key_bytes_mean"] = plan.key_bytes_mean;
  (*dict)["metadata_bytes_mean"] = plan.metadata_bytes_mean;
}

nb::dict ToDict(const LoadPlan& plan) {
  nb::dict dict;
  dict["files"] = plan.files;
  dict["row_groups"] = plan.row_groups;
  dict["rows"] = plan.rows;
  dict["source_bytes"] = plan.source_bytes;
  AddColumns(plan.columns, &dict);
  dict["key_reason"] = plan.columns.key_reason;
  dict["vector_reason"] = plan.columns.vector_reason;
  dict["metadata_reason"] = plan.columns.metadata_reason;
  dict["dimension"] = plan.dimension;
  dict["index_exists"] = plan.index_exists;
  dict["shards"] = plan.shards;
  dict["values"] = List(plan.values);
  dict["rows_without_value"] = plan.rows_without_value;
  AddSample(plan, &dict);
  dict["batch_vectors"] = plan.batch_vectors;
  dict["requests"] = plan.requests;
  dict["body_bytes"] = plan.body_bytes;
  dict["logical_bytes"] = plan.logical_bytes;
  dict["load_s"] = plan.load_s;
  dict["memory_bytes_max"] = plan.memory_bytes_max;
  dict["verify_list_calls"] = plan.verify_list_calls;
  dict["by_shards"] = List(plan.by_shards);
  dict["cost"] = ToDict(plan.cost);
  dict["repeated_keys"] = nb::none();
  if (plan.repeated_keys.has_value()) {
    nb::dict repeated;
    repeated["keys"] = plan.repeated_keys->keys;
    repeated["rows"] = plan.repeated_keys->rows;
    repeated["shown"] = List(plan.repeated_keys->shown);
    dict["repeated_keys"] = repeated;
  }
  return dict;
}

nb::dict ToDict(const VerifyProgress& progress) {
  nb::dict dict;
  dict["scan_pass"] = progress.pass;  // `pass` is a keyword
  dict["source_rows"] = progress.source_rows;
  dict["source_rows_total"] = progress.source_rows_total;
  dict["index_vectors"] = progress.index_vectors;
  return dict;
}

nb::dict ToDict(const VerifyReport& report) {
  nb::dict dict;
  dict["source_rows"] = report.source_rows;
  dict["index_vectors"] = report.index_vectors;
  dict["sampled_rows"] = report.sampled_rows;
  dict["rows_rejected"] = report.rows_rejected;
  dict["rows_unloadable"] = report.rows_unloadable;
  dict["missing"] = report.missing;
  dict["extra"] = report.extra;
  dict["different_vector"] = report.different_vector;
  dict["different_metadata"] = report.different_metadata;
  dict["shards"] = report.shards;
  dict["list_calls"] = report.list_calls;
  dict["wall_s"] = report.wall_s;
  return dict;
}

nb::dict ToDict(const ExportProgress& progress) {
  nb::dict dict;
  dict["is_surveying"] = progress.is_surveying;
  dict["vectors"] = progress.vectors;
  dict["bytes"] = progress.bytes;
  return dict;
}

nb::dict ToDict(const ExportReport& report) {
  nb::dict dict;
  dict["error"] = ErrorOf(report.status);
  dict["files"] = report.files;
  dict["vectors"] = report.vectors;
  dict["vectors_resumed"] = report.vectors_resumed;
  dict["row_groups"] = report.row_groups;
  dict["bytes"] = report.bytes;
  dict["metadata_columns"] = report.metadata_columns;
  dict["metadata_json"] = report.has_json;
  nb::dict without;
  for (const auto& [key, why] : report.keys_without_column) without[Text(key)] = why;
  dict["keys_without_column"] = without;
  dict["shards"] = report.shards;
  dict["list_calls"] = report.list_calls;
  dict["segments_restarted"] = report.segments_restarted;
  dict["wall_s"] = report.wall_s;
  dict["vectors_per_s"] = report.vectors_per_s;
  dict["rss_bytes_max"] = report.rss_bytes_max;
  return dict;
}

nb::dict ToDict(const IndexInfo& index) {
  nb::dict dict;
  dict["name"] = index.name.ToString();
  dict["arn"] = index.arn;
  dict["creation_time_s"] = index.creation_time_s;
  dict["dimension"] = index.dimension;
  dict["distance_metric"] = DistanceMetricName(index.metric);
  dict["non_filterable_keys"] = index.non_filterable_keys;
  dict["kms_key_arn"] = index.kms_key_arn;
  return dict;
}

}  // namespace vecload::python
