#include "vecload/plan.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "observe/report.h"

namespace vecload::cli {
namespace {

struct PlanFlags {
  PlanOptions plan;
  OutputFormat output = OutputFormat::kText;
};

void AppendRepeatedKeys(const RepeatedKeys& found, const std::string& path, JsonWriter* json) {
  json->Key("repeated_keys").BeginObject();
  json->Key("keys").Uint(found.keys).Key("rows").Uint(found.rows).Key("shown").BeginArray();
  for (const RepeatedKey& key : found.shown) {
    json->BeginObject().Key("key").String(key.key).Key("count").Uint(key.count);
    json->Key("rows").BeginArray();
    for (const RepeatedKey::Row& row : key.rows) {
      json->BeginObject().Key("file").String(row.file).Key("row").Uint(row.row).EndObject();
    }
    json->EndArray().EndObject();
  }
  json->EndArray();
  if (!path.empty()) json->Key("duplicates").String(path);
  json->EndObject();
}

void AppendValues(const LoadPlan& plan, JsonWriter* json) {
  json->Key("shard_by").String(plan.columns.shard_by);
  json->Key("rows_without_value").Uint(plan.rows_without_value).Key("values").BeginArray();
  for (const PlannedValue& value : plan.values) {
    json->BeginObject().Key("value").String(value.value).Key("rows").Uint(value.rows);
    if (!value.index.empty()) json->Key("index").String(value.index);
    json->EndObject();
  }
  json->EndArray();
}

std::string PlanJson(const LoadPlan& plan, const PlanOptions& options) {
  JsonWriter json;
  json.BeginObject().Key("files").Uint(plan.files).Key("row_groups").Uint(plan.row_groups);
  json.Key("rows").Uint(plan.rows).Key("source_bytes").Uint(plan.source_bytes);
  json.Key("key_column").String(plan.columns.key);
  json.Key("vector_column").String(plan.columns.vector);
  json.Key("metadata_columns").BeginArray();
  for (const std::string& column : plan.columns.metadata) json.String(column);
  json.EndArray().Key("metadata_json").String(plan.columns.metadata_json);
  json.Key("dimension").Uint(plan.dimension);
  if (options.index) {
    json.Key("index").String(options.index->ToString());
    json.Key("index_exists").Bool(plan.index_exists);
  }
  if (!plan.values.empty()) AppendValues(plan, &json);
  json.Key("shards").Uint(plan.shards).Key("sample_rows").Uint(plan.sample_rows);
  json.Key("key_bytes_mean").Double(plan.key_bytes_mean);
  json.Key("metadata_bytes_mean").Double(plan.metadata_bytes_mean);
  json.Key("batch_vectors").Uint(plan.batch_vectors).Key("requests").Uint(plan.requests);
  json.Key("body_bytes").Uint(plan.body_bytes).Key("logical_bytes").Uint(plan.logical_bytes);
  json.Key("load_s").Double(plan.load_s).Key("memory_bytes_max").Uint(plan.memory_bytes_max);
  json.Key("verify_list_calls").Uint(plan.verify_list_calls);
  if (plan.repeated_keys) AppendRepeatedKeys(*plan.repeated_keys, options.duplicates_path, &json);
  return json.EndObject().Take() + "\n";
}

std::string Columns(const LoadPlan& plan) {
  std::string metadata;
  for (const std::string& column : plan.columns.metadata) {
    metadata += (metadata.empty() ? "" : ", ") + Printable(column);
  }
  if (!plan.columns.metadata_json.empty()) {
    metadata = "JSON in " + Printable(plan.columns.metadata_json);
  }
  return fmt::format("key {}, vector {} ({}-d), metadata {}", Printable(plan.columns.key),
                     Printable(plan.columns.vector), plan.dimension,
                     metadata.empty() ? "none" : metadata);
}

std::string RowsOf(const PlannedValue& value) {
  return fmt::format("{} ({})", observe::WithCommas(value.rows),
                     Printable(Shortened(value.value, 40)));
}

void AppendValueRows(const LoadPlan& plan, std::vector<std::vector<std::string>>* rows) {
  const auto [smallest, largest] =
      std::ranges::minmax_element(plan.values, {}, &PlannedValue::rows);
  rows->push_back({"values", fmt::format("{} of {}, an index each", plan.values.size(),
                                         Printable(plan.columns.shard_by))});
  rows->push_back({"rows of a value", RowsOf(*smallest) + " to " + RowsOf(*largest)});
  if (plan.rows_without_value > 0) {
    rows->push_back({"without value",
                     observe::WithCommas(plan.rows_without_value) + " rows, will be rejected"});
  }
}

std::string Bytes(uint64_t bytes) { return observe::HumanBytes(static_cast<double>(bytes)); }

std::string PlanText(const LoadPlan& plan, const PlanOptions& options) {
  const bool is_known = plan.sample_rows > 0;
  std::vector<std::vector<std::string>> rows = {
      {"files", fmt::format("{}, {} row groups", plan.files, plan.row_groups)},
      {"rows", observe::WithCommas(plan.rows)},
      {"source", Bytes(plan.source_bytes)},
      {"columns", Columns(plan)}};
  if (options.index) {
    rows.push_back({"index", Printable(options.index->ToString()) +
                                 (plan.index_exists ? "" : ", not there yet (--create-index)")});
  }
  if (plan.values.empty()) {
    rows.push_back({"shards", std::to_string(plan.shards)});
  } else {
    AppendValueRows(plan, &rows);
  }
  rows.push_back(
      {"requests", fmt::format("{} of at most {} vectors", plan.requests, plan.batch_vectors)});
  rows.push_back({"sent", Bytes(plan.body_bytes) + " as JSON, about"});
  rows.push_back({"stored", Bytes(plan.logical_bytes) +
                                (is_known ? fmt::format(", by {} rows", plan.sample_rows)
                                          : " without keys and metadata: no row of the sample can "
                                            "be loaded")});
  const std::string time = observe::HumanDuration(plan.load_s);
  rows.push_back(
      {"time", plan.values.empty()
                   ? fmt::format("{} at {} vectors/s", time, 2'500 * uint64_t{plan.shards})
                   : fmt::format("{}, the largest at 2500 vectors/s", time)});
  rows.push_back({"memory", Bytes(plan.memory_bytes_max) + " at most"});
  rows.push_back({"verify", fmt::format("{} List calls, twice that where something differs",
                                        plan.verify_list_calls)});
  if (plan.repeated_keys) {
    rows.push_back({"keys", plan.repeated_keys->keys == 0
                                ? "none comes twice"
                                : fmt::format("{} come twice or more, in {} rows after their first",
                                              plan.repeated_keys->keys, plan.repeated_keys->rows)});
  }
  return Table(rows);
}

// A line for each row of the keys that are shown, those of one key together.
std::string RepeatedText(const RepeatedKeys& found, const std::string& path) {
  if (found.keys == 0) return "";
  std::vector<std::vector<std::string>> rows = {{"key", "row", "file"}};
  uint64_t shown = 0;
  for (const RepeatedKey& key : found.shown) {
    for (const RepeatedKey::Row& row : key.rows) {
      rows.push_back(
          {Printable(Shortened(key.key, 100)), std::to_string(row.row), Printable(row.file)});
    }
    shown += key.rows.size();
  }
  std::string text = "\n" + Table(rows);
  const uint64_t all = found.keys + found.rows;
  if (shown < all) {
    text += fmt::format("and {} more rows: {}\n", all - shown,
                        path.empty() ? "name a file with --duplicates for all of them" : path);
  }
  return text;
}

int RunPlan(PlanFlags* flags) {
  PlanOptions& options = flags->plan;
  if (options.check_keys || !options.source.shard_by.empty()) options.stop = StopOnSignal();
  const Result<LoadPlan> plan = PlanLoad(options);
  if (!plan.ok()) {
    Fail("plan", plan.status());
    return plan.status().code() == Code::kCancelled ? kExitStopped : kExitFailed;
  }
  if (flags->output == OutputFormat::kJson) {
    fmt::print("{}", PlanJson(*plan, options));
  } else {
    fmt::print("{}", PlanText(*plan, options));
    if (plan->repeated_keys) {
      fmt::print("{}", RepeatedText(*plan->repeated_keys, options.duplicates_path));
    }
  }
  return plan->repeated_keys && plan->repeated_keys->keys > 0 ? kExitDifferent : kExitOk;
}

void AddKeyFlags(CLI::App* command, PlanOptions* options) {
  const std::string group = "Keys";
  CLI::Option* check = command->add_flag("--check-keys", options->check_keys,
                                         "Read all keys, and name those that come twice");
  check->group(group);
  command
      ->add_option("--duplicates", options->duplicates_path,
                   "With --check-keys: where every row is told whose key comes twice; on the "
                   "terminal are the first 1,000")
      ->type_name("FILE")
      ->needs(check)
      ->group(group);
  AddParsed(command, "--memory", &options->memory_bytes_max, ParseBytes,
            "With --check-keys: half of it is for sorting, like 256MiB (default, a load's); more "
            "goes to $TMPDIR")
      ->type_name("SIZE")
      ->needs(check)
      ->group(group);
}

}  // namespace

void AddPlan(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<PlanFlags>();
  PlanOptions* options = &flags->plan;
  CLI::App* command =
      app->add_subcommand("plan", "Tell what a load will take; reads footers and a few rows");
  AddSourceOptions(command, "Source", &options->sources, &options->source);
  command
      ->add_option_function<std::string>(
          "--index",
          [options](const std::string& text) {
            Result<IndexName> name = IndexName::Parse(text);
            if (!name.ok()) throw CLI::ValidationError("--index", name.status().message());
            options->index = *std::move(name);
          },
          "Where the vectors will go, whether or not it is there; without it no call is made")
      ->type_name("BUCKET/INDEX");
  CLI::Option* shards = command->add_option(
      "--shards", options->shards, "Over so many indexes; default: as the index has, or one");
  shards->type_name("N")->check(CLI::Range(1, 1000).description(""));
  AddShardBy(command, &options->source,
             "One index for each value of this column, which is read whole to count them")
      ->excludes(shards);
  AddKeyFlags(command, options);
  AddOutputFlag(command, &flags->output);
  AddClientFlags(command, &options->client);
  command->footer(
      "Exit codes: 0 planned; 5 --check-keys found keys that come twice; 1 not planned; 4 stopped\n"
      "by a signal; 2 usage.\n\n"
      "Example:\n"
      "  vecload plan embeddings.parquet --shards 16 --check-keys");
  command->callback(
      [flags, chosen] { *chosen = {"plan", [flags] { return RunPlan(flags.get()); }}; });
}

}  // namespace vecload::cli
