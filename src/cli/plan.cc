#include "vecload/plan.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/plan_output.h"
#include "cli/signals.h"

namespace vecload::cli {
namespace {

struct PlanFlags {
  PlanOptions plan;
  OutputFormat output = OutputFormat::kText;
};

int RunPlan(PlanFlags* flags) {
  PlanOptions& options = flags->plan;
  if (options.check_keys || !options.source.shard_by.empty()) options.stop = StopOnSignal();
  const Result<LoadPlan> plan = PlanLoad(options);
  if (!plan.ok()) {
    Fail("plan", plan.status());
    return plan.status().code() == Code::kCancelled ? kExitStopped : kExitFailed;
  }
  PrintPlan(*plan, {.index = options.index, .duplicates_path = options.duplicates_path},
            flags->output);
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
      app->add_subcommand("plan", "Tell what a load will take and cost; reads footers, some rows");
  AddSourceOptions(command, "Source", &options->sources, &options->source);
  AddParsed(command, "--index", &options->index, IndexName::Parse,
            "Where the vectors will go, whether or not it is there; without it no call is made")
      ->type_name("BUCKET/INDEX");
  CLI::Option* shards = command->add_option(
      "--shards", options->shards, "Over so many indexes; default: as the index has, or one");
  shards->type_name("N")->check(CLI::Range(1, 1000).description(""));
  AddShardBy(command, &options->source,
             "One index for each value of this column, which is read whole to count them")
      ->excludes(shards);
  command
      ->add_option("--sample", options->sample_rows,
                   "Rows to read for sizes and for what would be rejected, of files and row groups "
                   "from all over the source; default: 10000")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{1}, uint64_t{10'000'000}).description(""));
  AddPricesFlag(command, &options->prices_path);
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
