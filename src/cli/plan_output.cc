#include "cli/plan_output.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/output.h"
#include "observe/report.h"

namespace vecload::cli {
namespace {

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

void AppendReasons(const ColumnMapping& columns, JsonWriter* json) {
  json->Key("key_reason").String(columns.key_reason);
  json->Key("vector_reason").String(columns.vector_reason);
  json->Key("metadata_reason").String(columns.metadata_reason);
}

void AppendSample(const LoadPlan& plan, JsonWriter* json) {
  json->Key("sample_rows_read").Uint(plan.sample_rows_read);
  json->Key("sample_rejects").BeginArray();
  for (const PlannedReject& reject : plan.sample_rejects) {
    json->BeginObject().Key("rule").String(reject.rule).Key("rows").Uint(reject.rows);
    json->Key("file").String(reject.file).Key("row").Uint(reject.row);
    json->Key("message").String(reject.message).EndObject();
  }
  json->EndArray();
}

void AppendTimes(const LoadPlan& plan, JsonWriter* json) {
  json->Key("by_shards").BeginArray();
  for (const ShardTime& time : plan.by_shards) {
    json->BeginObject().Key("shards").Uint(time.shards).Key("requests").Uint(time.requests);
    json->Key("load_s").Double(time.load_s).EndObject();
  }
  json->EndArray();
}

// Amounts as they are: a double would not hold them.
void AppendCost(const PlannedCost& cost, JsonWriter* json) {
  json->Key("cost").BeginObject().Key("currency").String(cost.currency);
  json->Key("load").Raw(cost.load).Key("storage_month").Raw(cost.storage_month);
  json->Key("queries_1000").Raw(cost.queries_1000).Key("verify_lists");
  json->Raw(cost.verify_lists.empty() ? "null" : cost.verify_lists);
  json->Key("region").String(cost.region).Key("prices_source").String(cost.prices_source);
  json->Key("prices_date").String(cost.prices_date).EndObject();
}

std::string PlanJson(const LoadPlan& plan, const PlanNames& names) {
  JsonWriter json;
  json.BeginObject().Key("files").Uint(plan.files).Key("row_groups").Uint(plan.row_groups);
  json.Key("rows").Uint(plan.rows).Key("source_bytes").Uint(plan.source_bytes);
  json.Key("key_column").String(plan.columns.key);
  json.Key("vector_column").String(plan.columns.vector);
  json.Key("metadata_columns").BeginArray();
  for (const std::string& column : plan.columns.metadata) json.String(column);
  json.EndArray().Key("metadata_json").String(plan.columns.metadata_json);
  AppendReasons(plan.columns, &json);
  json.Key("dimension").Uint(plan.dimension);
  if (names.index) {
    json.Key("index").String(names.index->ToString());
    json.Key("index_exists").Bool(plan.index_exists);
  }
  if (!plan.values.empty()) AppendValues(plan, &json);
  json.Key("shards").Uint(plan.shards).Key("sample_rows").Uint(plan.sample_rows);
  AppendSample(plan, &json);
  json.Key("key_bytes_mean").Double(plan.key_bytes_mean);
  json.Key("metadata_bytes_mean").Double(plan.metadata_bytes_mean);
  json.Key("batch_vectors").Uint(plan.batch_vectors).Key("requests").Uint(plan.requests);
  json.Key("body_bytes").Uint(plan.body_bytes).Key("logical_bytes").Uint(plan.logical_bytes);
  json.Key("load_s").Double(plan.load_s).Key("memory_bytes_max").Uint(plan.memory_bytes_max);
  json.Key("verify_list_calls").Uint(plan.verify_list_calls);
  AppendTimes(plan, &json);
  AppendCost(plan.cost, &json);
  if (plan.repeated_keys) AppendRepeatedKeys(*plan.repeated_keys, names.duplicates_path, &json);
  return json.EndObject().Take() + "\n";
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

// Adds a line of the table; text that is too long for 80 columns goes on below.
void AddLine(const std::string& label, const std::string& text,
             std::vector<std::vector<std::string>>* rows) {
  constexpr size_t kLabelWidth = 10;
  rows->push_back({label, Wrapped(text, kLabelWidth)});
}

std::string Because(const std::string& reason) { return reason.empty() ? "" : " (" + reason + ")"; }

void AddColumns(const LoadPlan& plan, std::vector<std::vector<std::string>>* rows) {
  const ColumnMapping& columns = plan.columns;
  AddLine("key", Printable(columns.key) + Because(columns.key_reason), rows);
  AddLine("vector",
          fmt::format("{}, {}-d{}", Printable(columns.vector), plan.dimension,
                      Because(columns.vector_reason)),
          rows);
  std::string metadata;
  for (const std::string& column : columns.metadata) {
    metadata += (metadata.empty() ? "" : ", ") + Printable(column);
  }
  if (!columns.metadata_json.empty()) metadata = "JSON in " + Printable(columns.metadata_json);
  AddLine("metadata", metadata.empty() ? "none" : metadata + Because(columns.metadata_reason),
          rows);
}

// "0.8192" -> "$0.82"; what is less than a cent with all its decimals.
std::string Price(const std::string& amount, const PlannedCost& cost) {
  const std::string sign = cost.currency == "USD" ? "$" : cost.currency + " ";
  const double value = std::strtod(amount.c_str(), nullptr);
  if (value < 0.01) return sign + amount;
  // Its decimals beyond the second are cut, not rounded through a double.
  const std::string cents = amount.substr(0, amount.find('.') + 3);
  const size_t point = cents.find('.');
  return sign + observe::WithCommas(std::stoull(cents.substr(0, point))) + cents.substr(point);
}

void AddCost(const PlannedCost& cost, std::vector<std::vector<std::string>>* rows) {
  AddLine("cost",
          fmt::format("{} to load, {} a month to store, {} a thousand queries and what they scan{}",
                      Price(cost.load, cost), Price(cost.storage_month, cost),
                      Price(cost.queries_1000, cost),
                      cost.verify_lists.empty()
                          ? ""
                          : ", " + Price(cost.verify_lists, cost) + " for verify's List calls"),
          rows);
  AddLine("prices",
          fmt::format("{}, {}, as of {}", Printable(cost.region), Printable(cost.prices_source),
                      Printable(cost.prices_date)),
          rows);
}

uint64_t RejectsOf(const LoadPlan& plan) { return plan.sample_rows_read - plan.sample_rows; }

void AddTraffic(const LoadPlan& plan, std::vector<std::vector<std::string>>* rows) {
  AddLine("requests",
          fmt::format("{} of at most {} vectors", observe::WithCommas(plan.requests),
                      plan.batch_vectors),
          rows);
  AddLine("sent", Bytes(plan.body_bytes) + " as JSON, about", rows);
  AddLine(
      "stored",
      Bytes(plan.logical_bytes) +
          (plan.sample_rows > 0 ? fmt::format(", by {} rows", observe::WithCommas(plan.sample_rows))
                                : " without keys and metadata: no row of the sample can be loaded"),
      rows);
  const std::string time = observe::HumanDuration(plan.load_s);
  AddLine("time",
          plan.values.empty() ? fmt::format("{} at {} vectors/s", time,
                                            observe::WithCommas(2'500 * uint64_t{plan.shards}))
                              : fmt::format("{}, the largest at 2,500 vectors/s", time),
          rows);
  AddLine("memory", Bytes(plan.memory_bytes_max) + " at most", rows);
  AddLine("verify",
          fmt::format("{} List calls, twice that where something differs",
                      observe::WithCommas(plan.verify_list_calls)),
          rows);
  AddCost(plan.cost, rows);
  AddLine("rejects",
          fmt::format("{} of {} rows read",
                      RejectsOf(plan) == 0 ? "none" : observe::WithCommas(RejectsOf(plan)),
                      observe::WithCommas(plan.sample_rows_read)),
          rows);
}

std::string PlanText(const LoadPlan& plan, const PlanNames& names) {
  std::vector<std::vector<std::string>> rows;
  AddLine("files",
          fmt::format("{}, {} row groups", observe::WithCommas(plan.files),
                      observe::WithCommas(plan.row_groups)),
          &rows);
  AddLine("rows", observe::WithCommas(plan.rows), &rows);
  AddLine("source", Bytes(plan.source_bytes), &rows);
  AddColumns(plan, &rows);
  if (names.index) {
    AddLine("index",
            Printable(names.index->ToString()) +
                (plan.index_exists ? "" : ", not there yet (--create-index)"),
            &rows);
  }
  if (plan.values.empty()) {
    AddLine("shards", std::to_string(plan.shards), &rows);
  } else {
    AppendValueRows(plan, &rows);
  }
  AddTraffic(plan, &rows);
  if (plan.repeated_keys) {
    AddLine("keys",
            plan.repeated_keys->keys == 0
                ? "none comes twice"
                : fmt::format("{} come twice or more, in {} rows after their first",
                              plan.repeated_keys->keys, plan.repeated_keys->rows),
            &rows);
  }
  return Table(rows);
}

// Nothing where one index is quick enough.
std::string TimesText(const LoadPlan& plan) {
  if (plan.by_shards.size() < 2) return "";
  std::vector<std::vector<std::string>> rows = {{"shards", "requests", "time"}};
  for (const ShardTime& time : plan.by_shards) {
    rows.push_back({observe::WithCommas(time.shards), observe::WithCommas(time.requests),
                    observe::HumanDuration(time.load_s)});
  }
  return "\n" + Table(rows);
}

std::string RejectsText(const LoadPlan& plan) {
  if (plan.sample_rejects.empty()) return "";
  std::string text = "\nOf the rows read, a load would reject:\n";
  for (const PlannedReject& reject : plan.sample_rejects) {
    text += fmt::format("{}: {} {}, like row {} of {}\n    {}\n", reject.rule,
                        observe::WithCommas(reject.rows), reject.rows == 1 ? "row" : "rows",
                        reject.row, Printable(reject.file), Sentence(reject.message));
  }
  return text;
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

}  // namespace

void PrintPlan(const LoadPlan& plan, const PlanNames& names, OutputFormat format) {
  if (format == OutputFormat::kJson) {
    fmt::print("{}", PlanJson(plan, names));
    return;
  }
  fmt::print("{}{}{}", PlanText(plan, names), TimesText(plan), RejectsText(plan));
  if (plan.repeated_keys) {
    fmt::print("{}", RepeatedText(*plan.repeated_keys, names.duplicates_path));
  }
}

void AddPricesFlag(CLI::App* command, std::string* path) {
  command
      ->add_option("--prices", *path,
                   "A JSON file of prices, as of another region; default: AWS's list for us-east-1")
      ->type_name("FILE");
}

}  // namespace vecload::cli
