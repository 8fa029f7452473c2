#include "vecload/delete.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/job_flags.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "observe/report.h"

namespace vecload::cli {
namespace {

struct DeleteFlags {
  DeleteOptions options;
  JobFlags job;
  bool dry_run = false;
};

void AddKeysFlags(CLI::App* command, DeleteFlags* flags) {
  const std::string group = "Keys";
  DeleteOptions* options = &flags->options;
  AddParsed(command, "--index", &options->index, IndexName::Parse,
            "Where the vectors are: an index, or the base of shards")
      ->required()
      ->type_name("BUCKET/INDEX");
  command
      ->add_option("--keys-from", options->sources,
                   "Parquet, Arrow IPC, or JSON Lines as verify --extra and --rejects write them: "
                   "files, globs, directories, s3://BUCKET/PREFIX")
      ->required()
      ->type_name("SOURCE...");
  AddKeyColumnFlag(command, group, &options->source);
  AddSourceS3Flags(command, group, &options->source);
  command->add_flag("--dry-run", flags->dry_run, "Count what would be deleted, and delete nothing");
}

std::string PlanJson(const DeletePlan& plan, const DeleteOptions& options) {
  JsonWriter json;
  json.BeginObject().Key("index").String(options.index.ToString());
  json.Key("shards").Uint(plan.shards).Key("rows").Uint(plan.rows).Key("keys").Uint(plan.keys);
  json.Key("rejected").Uint(plan.rejected).Key("superseded").Uint(plan.superseded);
  json.Key("requests").Uint(plan.requests).Key("delete_s").Double(plan.delete_s);
  return json.EndObject().Take() + "\n";
}

std::string PlanText(const DeletePlan& plan, const DeleteOptions& options) {
  std::vector<std::vector<std::string>> rows = {
      {"index", Printable(options.index.ToString())},
      {"shards", std::to_string(plan.shards)},
      {"rows", observe::WithCommas(plan.rows)},
      {"keys", observe::WithCommas(plan.keys) + " would be deleted, if they are there"}};
  if (plan.superseded > 0) {
    rows.push_back({"superseded", observe::WithCommas(plan.superseded) + " come twice in a batch"});
  }
  if (plan.rejected > 0) {
    rows.push_back({"rejected", observe::WithCommas(plan.rejected) + " are no keys"});
  }
  rows.push_back({"requests", observe::WithCommas(plan.requests)});
  rows.push_back({"time", observe::HumanDuration(plan.delete_s) + " at the service's limits"});
  return Table(rows);
}

int RunPlan(DeleteFlags* flags) {
  DeleteOptions& options = flags->options;
  options.part = flags->job.part.part;
  options.parts = flags->job.part.parts;
  options.stop = StopOnSignal();
  const Result<DeletePlan> plan = PlanDelete(options);
  if (!plan.ok()) {
    Fail("delete", plan.status());
    return plan.status().code() == Code::kCancelled ? kExitStopped : kExitFailed;
  }
  fmt::print("{}", flags->job.output == OutputFormat::kJson ? PlanJson(*plan, options)
                                                            : PlanText(*plan, options));
  return kExitOk;
}

int RunDelete(DeleteFlags* flags) {
  if (flags->dry_run) return RunPlan(flags);
  DeleteOptions& options = flags->options;
  return RunJob(JobKind::kDelete, flags->job, &options, [&] { return Delete(options); });
}

}  // namespace

void AddDelete(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<DeleteFlags>();
  CLI::App* command =
      app->add_subcommand("delete", "Delete the vectors of listed keys from an index");
  AddKeysFlags(command, flags.get());
  AddPaceFlags(command, &flags->job, &flags->options);
  AddResumeFlags(command, &flags->options);
  AddPartFlag(command, &flags->job);
  AddResultFlags(command, &flags->job, &flags->options);
  AddMetricsFlags(command, &flags->job);
  AddClientFlags(command, &flags->options.client);
  command->footer(
      "Examples:\n"
      "  vecload delete --index my-bucket/my-index --keys-from my-index-extra.jsonl --dry-run\n"
      "  vecload delete --index my-bucket/my-index --keys-from 's3://my-data/gone/*.parquet' \\\n"
      "      --key-column id");
  command->callback(
      [flags, chosen] { *chosen = {"delete", [flags] { return RunDelete(flags.get()); }}; });
}

}  // namespace vecload::cli
