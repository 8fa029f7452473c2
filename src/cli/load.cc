#include <memory>
#include <string>

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/job_flags.h"
#include "cli/plan_output.h"
#include "cli/signals.h"
#include "vecload/loader.h"
#include "vecload/plan.h"

namespace vecload::cli {
namespace {

struct LoadFlags {
  LoadOptions load;
  JobFlags job;
  bool create_index = false;
  CreateIndexOptions new_index;
  bool is_dry_run = false;
  std::string prices_path;
};

void AddSourceFlags(CLI::App* command, LoadFlags* flags) {
  const std::string group = "Source";
  AddSourceOptions(command, group, &flags->load.sources, &flags->load.source);
  AddChoice(
      command, "--on-duplicate", &flags->load.on_duplicate,
      {{"error", OnDuplicate::kError},
       {"first", OnDuplicate::kFirst},
       {"last", OnDuplicate::kLast}},
      "Read all keys first; of several rows with one key load the first or the last, or begin "
      "nothing (error); default: some row of the key ends in the index")
      ->type_name("error|first|last")
      ->group(group);
}

// What of the sources is loaded, after AddResumeFlags.
void AddShareFlags(CLI::App* command, LoadFlags* flags) {
  CLI::Option* part = AddPartFlag(command, &flags->job);
  command
      ->add_option("--rows-from", flags->load.rows_from_path,
                   "Only the rows that a rejects file lists; keeps no journal, and changes none")
      ->type_name("FILE")
      ->check(CLI::Validator(
          [](const std::string& path) { return path.empty() ? "no file is named" : ""; }, ""))
      ->excludes(part)
      ->excludes(command->get_option("--journal"))
      ->excludes(command->get_option("--restart"))
      ->group(kShareGroup);
}

void AddIndexFlags(CLI::App* command, LoadFlags* flags) {
  const std::string group = "Index";
  AddParsed(command, "--index", &flags->load.index, IndexName::Parse, "Where the vectors go")
      ->required()
      ->type_name("BUCKET/INDEX");
  CLI::Option* shards = command->add_option(
      "--shards", flags->load.shards,
      "Divide the vectors by key over N indexes, INDEX-0000 and so on, each with its "
      "own limit of vectors/s");
  shards->type_name("N")->check(CLI::Range(1, 1000).description(""))->group(group);
  AddShardBy(command, &flags->load.source,
             "One index for each value of this column, like a tenant's, named after INDEX and the "
             "value; at most 1,000")
      ->excludes(shards)
      ->group(group);
  CLI::Option* create = command->add_flag("--create-index", flags->create_index,
                                          "Make bucket and index where they are absent");
  create->group(group);
  CLI::Option* metric =
      AddParsed(command, "--distance-metric", &flags->new_index.metric, ParseDistanceMetric,
                "cosine or euclidean, for --create-index; can never be changed");
  metric->type_name("METRIC")
      ->check(Offering({"cosine", "euclidean"}))
      ->needs(create)
      ->group(group);
  create->needs(metric);
  AddList(command, "--non-filterable", &flags->new_index.non_filterable_keys,
          "Metadata keys of the new index that no filter needs")
      ->needs(create)
      ->group(group);
  command->add_option("--kms-key-arn", flags->new_index.kms_key_arn, "Encrypts the new index")
      ->type_name("ARN")
      ->needs(create)
      ->group(group);
  AddTags(command, &flags->new_index.tags)->needs(create)->group(group);
}

void AddEncodersFlag(CLI::App* command, LoadFlags* flags) {
  command->add_option("--encoders", flags->load.encoders, "Threads that encode")
      ->type_name("N")
      ->check(CLI::Range(1, 256).description(""))
      ->group(kPaceGroup);
}

void AddDryRunFlags(CLI::App* command, LoadFlags* flags) {
  const std::string group = "Dry run";
  CLI::Option* dry_run =
      command->add_flag("--dry-run", flags->is_dry_run,
                        "Check all, tell what this load will take and cost as `plan` does, and "
                        "begin nothing: no index, no vector, no file is made");
  dry_run->group(group);
  AddPricesFlag(command, &flags->prices_path);
  command->get_option("--prices")->needs(dry_run)->group(group);
}

int RunDryRun(LoadFlags* flags) {
  LoadOptions& options = flags->load;
  options.part = flags->job.part.part;
  options.parts = flags->job.part.parts;
  options.on_message = [](const std::string& message) {
    fmt::print(stderr, "vecload: load: {}\n", message);
  };
  options.stop = StopOnSignal();
  const Result<LoadPlan> plan = PlanLoad(options, flags->prices_path);
  if (!plan.ok()) {
    Fail("load", plan.status());
    return plan.status().code() == Code::kCancelled ? kExitStopped : kExitFailed;
  }
  PrintPlan(*plan, {.index = options.index}, flags->job.output);
  return kExitOk;
}

int RunLoad(LoadFlags* flags) {
  LoadOptions& options = flags->load;
  if (flags->create_index) options.create_index = flags->new_index;
  if (flags->is_dry_run) return RunDryRun(flags);
  return RunJob(JobKind::kLoad, flags->job, &options, [&] { return Load(options); });
}

}  // namespace

void AddLoad(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<LoadFlags>();
  CLI::App* command =
      app->add_subcommand("load", "Load vectors from Parquet or Arrow IPC into an index");
  AddSourceFlags(command, flags.get());
  AddIndexFlags(command, flags.get());
  AddPaceFlags(command, &flags->job, &flags->load);
  AddEncodersFlag(command, flags.get());
  AddResumeFlags(command, &flags->load);
  AddShareFlags(command, flags.get());
  AddResultFlags(command, &flags->job, &flags->load);
  AddDryRunFlags(command, flags.get());
  AddMetricsFlags(command, &flags->job);
  AddClientFlags(command, &flags->load.client);
  command->footer(
      "Examples:\n"
      "  vecload load embeddings.parquet --index my-bucket/my-index\n"
      "  vecload load 's3://my-data/embeddings/' --index my-bucket/my-index \\\n"
      "      --create-index --distance-metric cosine --key-column id --metadata-columns "
      "title,year");
  command->callback(
      [flags, chosen] { *chosen = {"load", [flags] { return RunLoad(flags.get()); }}; });
}

}  // namespace vecload::cli
