#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "vecload/client.h"
#include "vecload/sharded_index.h"

namespace vecload::cli {
namespace {

struct IndexFlags {
  ClientOptions client;
  IndexName index;
  IndexSettings settings;
  std::string bucket;
  std::string prefix;
  OutputFormat output = OutputFormat::kText;
};

void PrintDone(const IndexFlags& flags, std::string_view done, uint32_t indexes = 1) {
  if (flags.output == OutputFormat::kText) {
    fmt::print("{} {}{}\n", done, flags.index.ToString(),
               indexes > 1 ? fmt::format(" ({} shards)", indexes) : "");
    return;
  }
  JsonWriter json;
  json.BeginObject().Key("index").String(flags.index.ToString()).Key(done).Bool(true);
  json.Key("indexes").Uint(indexes).EndObject();
  fmt::print("{}\n", json.text());
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + Printable(word);
  return text.empty() ? "none" : text;
}

// What all shards of a set have in common, and an index of its own has too.
void AppendSettings(const IndexInfo& info, std::vector<std::vector<std::string>>* rows) {
  rows->push_back({"dimension", std::to_string(info.dimension)});
  rows->push_back({"distance metric", std::string(DistanceMetricName(info.metric))});
  rows->push_back({"non-filterable", Joined(info.non_filterable_keys)});
  if (!info.sse_type.empty()) rows->push_back({"encryption", info.sse_type});
  if (!info.kms_key_arn.empty()) rows->push_back({"KMS key", info.kms_key_arn});
}

void AppendSettings(const IndexInfo& info, JsonWriter* json) {
  json->Key("dimension").Uint(info.dimension);
  json->Key("distance_metric").String(DistanceMetricName(info.metric));
  json->Key("non_filterable_keys").BeginArray();
  for (const std::string& key : info.non_filterable_keys) json->String(key);
  json->EndArray();
  json->Key("sse_type").String(info.sse_type).Key("kms_key_arn").String(info.kms_key_arn);
}

std::string InfoText(const IndexInfo& info) {
  std::vector<std::vector<std::string>> rows = {{"index", info.name.ToString()},
                                                {"arn", info.arn},
                                                {"created", TimeText(info.creation_time_s)}};
  AppendSettings(info, &rows);
  return Table(rows);
}

std::string InfoJson(const IndexInfo& info) {
  JsonWriter json;
  json.BeginObject().Key("index").String(info.name.ToString()).Key("arn").String(info.arn);
  json.Key("creation_time_s").Double(info.creation_time_s);
  AppendSettings(info, &json);
  json.EndObject();
  return json.Take() + "\n";
}

std::string ShardsText(const ShardedIndex& set) {
  const std::vector<IndexInfo>& indexes = set.indexes();
  std::vector<std::vector<std::string>> rows = {
      {"base", set.name().ToString()},
      {"shards", fmt::format("{}: {} to {}", indexes.size(), indexes.front().name.ToString(),
                             indexes.back().name.ToString())},
      {"created", TimeText(indexes.front().creation_time_s)}};
  AppendSettings(indexes.front(), &rows);
  return Table(rows);
}

std::string ShardsJson(const ShardedIndex& set) {
  JsonWriter json;
  json.BeginObject().Key("index").String(set.name().ToString());
  json.Key("shards").Uint(set.indexes().size());
  AppendSettings(set.indexes().front(), &json);
  json.Key("indexes").BeginArray();
  for (const IndexInfo& info : set.indexes()) {
    json.BeginObject().Key("index").String(info.name.ToString()).Key("arn").String(info.arn);
    json.Key("creation_time_s").Double(info.creation_time_s).EndObject();
  }
  json.EndArray().EndObject();
  return json.Take() + "\n";
}

Status CreateIndex(const IndexFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(flags.client));
  VECLOAD_RETURN_IF_ERROR(client->CreateIndex(flags.index, flags.settings));
  PrintDone(flags, "created");
  return Status::Ok();
}

Status ShowIndex(const IndexFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Open(flags.client));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<ShardedIndex> index,
                           ShardedIndex::Open(std::move(client), flags.index));
  const bool as_json = flags.output == OutputFormat::kJson;
  if (index->is_sharded()) {
    fmt::print("{}", as_json ? ShardsJson(*index) : ShardsText(*index));
  } else {
    const IndexInfo& info = index->indexes().front();
    fmt::print("{}", as_json ? InfoJson(info) : InfoText(info));
  }
  return Status::Ok();
}

Status DeleteIndex(const IndexFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(flags.client));
  VECLOAD_ASSIGN_OR_RETURN(const uint32_t indexes, ShardedIndex::Delete(client.get(), flags.index));
  PrintDone(flags, "deleted", indexes);
  return Status::Ok();
}

Status ListIndexes(const IndexFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(flags.client));
  VECLOAD_ASSIGN_OR_RETURN(const std::vector<IndexInfo> indexes,
                           client->ListIndexes(flags.bucket, flags.prefix));
  if (flags.output == OutputFormat::kText) {
    std::vector<std::vector<std::string>> rows = {{"created", "index"}};
    for (const IndexInfo& info : indexes) {
      rows.push_back({TimeText(info.creation_time_s), Printable(info.name.ToString())});
    }
    fmt::print("{}", Table(rows));
    return Status::Ok();
  }
  // The listing knows no more of an index than this; `index show` does.
  JsonWriter json;
  json.BeginObject().Key("indexes").BeginArray();
  for (const IndexInfo& info : indexes) {
    json.BeginObject().Key("index").String(info.name.ToString()).Key("arn").String(info.arn);
    json.Key("creation_time_s").Double(info.creation_time_s).EndObject();
  }
  json.EndArray().EndObject();
  fmt::print("{}\n", json.text());
  return Status::Ok();
}

using Flags = std::shared_ptr<IndexFlags>;

CLI::App* AddAction(CLI::App* index, const Flags& flags, Command* chosen, const std::string& name,
                    Status (*act)(const IndexFlags&), const std::string& help) {
  CLI::App* command = index->add_subcommand(name, help);
  AddOutputFlag(command, &flags->output);
  AddClientFlags(command, &flags->client);
  command->callback([=] {
    *chosen = {"index " + name, [=] {
                 const Status status = act(*flags);
                 return status.ok() ? kExitOk : Fail("index " + name, status);
               }};
  });
  return command;
}

void AddName(CLI::App* command, const Flags& flags) {
  AddParsed(command, "INDEX", &flags->index, IndexName::Parse, "BUCKET/INDEX or an index ARN")
      ->required()
      ->type_name("");
}

void AddSettings(CLI::App* command, IndexSettings* settings) {
  command->add_option("--dimension", settings->dimension, "Length of its vectors, 1 to 4096")
      ->required()
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
  AddParsed(command, "--distance-metric", &settings->metric, ParseDistanceMetric,
            "cosine or euclidean; can never be changed")
      ->required()
      ->type_name("METRIC")
      ->check(Offering({"cosine", "euclidean"}));
  AddList(command, "--non-filterable", &settings->non_filterable_keys,
          "Metadata keys that no filter needs");
  command->add_option("--kms-key-arn", settings->kms_key_arn, "Encrypts the index")
      ->type_name("ARN");
  AddTags(command, &settings->tags);
}

}  // namespace

void AddIndex(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<IndexFlags>();
  CLI::App* index = app->add_subcommand("index", "Create, show, list and delete indexes");
  index->require_subcommand(1);
  index->footer("Example:\n  vecload index show my-bucket/my-index");

  CLI::App* create = AddAction(index, flags, chosen, "create", CreateIndex, "Create an index");
  AddName(create, flags);
  AddSettings(create, &flags->settings);
  create->footer(
      "Example:\n"
      "  vecload index create my-bucket/my-index --dimension 384 --distance-metric cosine");

  CLI::App* show = AddAction(index, flags, chosen, "show", ShowIndex,
                             "Show the settings of an index, or of shards by their base");
  AddName(show, flags);
  show->footer("Example:\n  vecload index show my-bucket/my-index --output json");

  CLI::App* list = AddAction(index, flags, chosen, "list", ListIndexes, "List a bucket's indexes");
  list->add_option("BUCKET", flags->bucket, "Name of the vector bucket")->required()->type_name("");
  list->add_option("--prefix", flags->prefix, "Only names that begin so")->type_name("TEXT");
  list->footer("Example:\n  vecload index list my-bucket");

  CLI::App* remove = AddAction(index, flags, chosen, "delete", DeleteIndex,
                               "Delete an index and its vectors, or all shards of a base");
  AddName(remove, flags);
  remove->footer("Example:\n  vecload index delete my-bucket/my-index");
}

}  // namespace vecload::cli
