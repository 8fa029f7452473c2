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

namespace vecload::cli {
namespace {

struct BucketFlags {
  ClientOptions client;
  std::string bucket;
  std::string prefix;
  OutputFormat output = OutputFormat::kText;
};

void PrintDone(const BucketFlags& flags, std::string_view done) {
  if (flags.output == OutputFormat::kText) {
    fmt::print("{} {}\n", done, flags.bucket);
    return;
  }
  JsonWriter json;
  json.BeginObject().Key("bucket").String(flags.bucket).Key(done).Bool(true).EndObject();
  fmt::print("{}\n", json.text());
}

Status CreateBucket(const BucketFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(flags.client));
  VECLOAD_RETURN_IF_ERROR(client->CreateVectorBucket(flags.bucket));
  PrintDone(flags, "created");
  return Status::Ok();
}

Status DeleteBucket(const BucketFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(flags.client));
  VECLOAD_RETURN_IF_ERROR(client->DeleteVectorBucket(flags.bucket));
  PrintDone(flags, "deleted");
  return Status::Ok();
}

Status ListBuckets(const BucketFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(flags.client));
  VECLOAD_ASSIGN_OR_RETURN(const std::vector<VectorBucket> buckets,
                           client->ListVectorBuckets(flags.prefix));
  if (flags.output == OutputFormat::kText) {
    std::vector<std::vector<std::string>> rows = {{"created", "bucket"}};
    for (const VectorBucket& bucket : buckets) {
      rows.push_back({TimeText(bucket.creation_time_s), Printable(bucket.name)});
    }
    fmt::print("{}", Table(rows));
    return Status::Ok();
  }
  JsonWriter json;
  json.BeginObject().Key("buckets").BeginArray();
  for (const VectorBucket& bucket : buckets) {
    json.BeginObject().Key("bucket").String(bucket.name).Key("arn").String(bucket.arn);
    json.Key("creation_time_s").Double(bucket.creation_time_s).EndObject();
  }
  json.EndArray().EndObject();
  fmt::print("{}\n", json.text());
  return Status::Ok();
}

using Flags = std::shared_ptr<BucketFlags>;

CLI::App* AddAction(CLI::App* bucket, const Flags& flags, Command* chosen, const std::string& name,
                    Status (*act)(const BucketFlags&), const std::string& help) {
  CLI::App* command = bucket->add_subcommand(name, help);
  AddOutputFlag(command, &flags->output);
  AddClientFlags(command, &flags->client);
  command->callback([=] {
    *chosen = {"bucket " + name, [=] {
                 const Status status = act(*flags);
                 return status.ok() ? kExitOk : Fail("bucket " + name, status);
               }};
  });
  return command;
}

void AddName(CLI::App* command, const Flags& flags) {
  command->add_option("BUCKET", flags->bucket, "Name of the vector bucket")
      ->required()
      ->type_name("");
}

}  // namespace

void AddBucket(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<BucketFlags>();
  CLI::App* bucket = app->add_subcommand("bucket", "Create, list and delete vector buckets");
  bucket->require_subcommand(1);
  bucket->footer("Example:\n  vecload bucket create my-bucket");

  CLI::App* create = AddAction(bucket, flags, chosen, "create", CreateBucket, "Create a bucket");
  AddName(create, flags);
  create->footer("Example:\n  vecload bucket create my-bucket");

  CLI::App* list = AddAction(bucket, flags, chosen, "list", ListBuckets, "List buckets");
  list->add_option("--prefix", flags->prefix, "Only names that begin so")->type_name("TEXT");
  list->footer("Example:\n  vecload bucket list --prefix my- --output json");

  CLI::App* remove =
      AddAction(bucket, flags, chosen, "delete", DeleteBucket, "Delete an empty bucket");
  AddName(remove, flags);
  remove->footer("Example:\n  vecload bucket delete my-bucket");
}

}  // namespace vecload::cli
