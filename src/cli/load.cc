#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/reserved_file.h"
#include "cli/signals.h"
#include "observe/progress.h"
#include "observe/report.h"
#include "vecload/loader.h"

namespace vecload::cli {
namespace {

using observe::ProgressMode;

struct LoadFlags {
  LoadOptions load;
  LoadRate rate_vectors;
  Part part;
  bool create_index = false;
  CreateIndexOptions new_index;
  ProgressMode progress = ProgressMode::kAuto;
  std::string report_path;
  OutputFormat output = OutputFormat::kText;
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
  const std::string group = "Share (default: all rows)";
  CLI::Option* part =
      AddParsed(command, "--part", &flags->part, ParsePart,
                "Of the rows only share I of N, so that N machines divide the job; each with the "
                "same sources, a journal of its own, and an Nth of the default rates")
          ->type_name("I/N")
          ->group(group);
  command
      ->add_option("--rows-from", flags->load.rows_from_path,
                   "Only the rows that a rejects file lists; keeps no journal, and changes none")
      ->type_name("FILE")
      ->check(CLI::Validator(
          [](const std::string& path) { return path.empty() ? "no file is named" : ""; }, ""))
      ->excludes(part)
      ->excludes(command->get_option("--journal"))
      ->excludes(command->get_option("--restart"))
      ->group(group);
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
  metric->type_name("METRIC")->needs(create)->group(group);
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

void AddPaceFlags(CLI::App* command, LoadFlags* flags) {
  const std::string group = "Pace (nothing here needs tuning)";
  LoadOptions* load = &flags->load;
  AddParsed(command, "--rate-vectors", &flags->rate_vectors, ParseLoadRate,
            "Vectors a second of each index, unlimited, or auto: more than the limit while the "
            "service takes it; "
            "default: 2500, the service's limit per index")
      ->type_name("N")
      ->group(group);
  AddParsed(
      command, "--rate-requests", &load->rate_requests_per_s, ParseRate,
      "Requests a second of each index, or unlimited; default: 1000, the service's limit per index")
      ->type_name("N")
      ->group(group);
  command
      ->add_option("--max-in-flight", load->in_flight_max,
                   "Requests under way at most, of all shards")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""))
      ->group(group);
  command->add_option("--encoders", load->encoders, "Threads that encode")
      ->type_name("N")
      ->check(CLI::Range(1, 256).description(""))
      ->group(group);
  AddParsed(
      command, "--memory", &load->memory_bytes_max, ParseBytes,
      "Budget for rows and requests, like 1GiB; default: 256MiB, or 69MiB a shard where that is "
      "more, at most a quarter of RAM")
      ->type_name("SIZE")
      ->group(group);
  command->add_option("--batch-vectors", load->batch_vectors_max, "Vectors a request at most")
      ->type_name("N")
      ->check(CLI::Range(1, 500).description(""))
      ->group(group);
  AddParsed(command, "--give-up-after", &load->give_up_after, ParseDuration,
            "Stop after this long without progress, like 90s, 5m, 1h; default: 1h")
      ->type_name("TIME")
      ->group(group);
}

void AddResumeFlags(CLI::App* command, LoadFlags* flags) {
  const std::string group = "Resuming (the same command again goes on where it stopped)";
  command
      ->add_option("--journal", flags->load.journal_path,
                   "What is done, kept there; default: a file for this job in "
                   "$XDG_STATE_HOME/vecload or ~/.local/state/vecload")
      ->type_name("FILE")
      ->group(group);
  command->add_flag("--restart", flags->load.restart, "Forget what was done and load everything")
      ->group(group);
}

void AddResultFlags(CLI::App* command, LoadFlags* flags) {
  const std::string group = "Result";
  command
      ->add_option("--rejects", flags->load.rejects_path,
                   "Where rows that cannot be sent are told, as JSON Lines; a new job empties it; "
                   "default: that of the job's earlier runs, or a new INDEX-rejects.jsonl in this "
                   "directory, if there are any")
      ->type_name("FILE")
      ->group(group);
  command->add_option("--max-rejects", flags->load.rejects_max, "Stop after more rejects than this")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber.description(""))
      ->group(group);
  AddChoice(command, "--progress", &flags->progress,
            {{"auto", ProgressMode::kAuto},
             {"bar", ProgressMode::kBar},
             {"json", ProgressMode::kJson},
             {"none", ProgressMode::kNone}},
            "On stderr: auto (default: a bar on a terminal, else lines), bar, json or none")
      ->type_name("MODE")
      ->group(group);
  command->add_option("--report", flags->report_path, "Write the report there, as JSON")
      ->type_name("FILE.json")
      ->check(CLI::Validator(
          [](const std::string& path) {
            return std::filesystem::path(path).extension() == ".json"
                       ? std::string()
                       : "'" + path + "' does not end in .json";
          },
          ""))
      ->group(group);
  AddOutputFlag(command, &flags->output);
}

// Fails before the job begins rather than after hours of it.
Status CheckReportPath(const std::string& path) {
  if (path.empty()) return Status::Ok();
  const std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Status::Io(fmt::format("--report {}: is a directory; name a file", path));
  }
  if (access(parent.c_str(), W_OK | X_OK) != 0) {
    return Status::Io(fmt::format("--report {}: {} cannot be written to; choose another place",
                                  path, parent.string()));
  }
  return Status::Ok();
}

Status WriteReport(const std::string& path, const std::string& json) {
  FILE* file = fopen(path.c_str(), "we");
  bool written = file != nullptr;
  if (file != nullptr) {
    written = fwrite(json.data(), 1, json.size(), file) == json.size();
    written = fclose(file) == 0 && written;
  }
  if (written) return Status::Ok();
  return Status::Io(
      fmt::format("--report {}: cannot be written; the job itself is not affected", path));
}

int RunLoad(LoadFlags* flags) {
  LoadOptions& options = flags->load;
  if (flags->create_index) options.create_index = flags->new_index;
  options.rate_vectors_per_s = flags->rate_vectors.per_s;
  options.rate_auto = flags->rate_vectors.is_auto;
  options.part = flags->part.part;
  options.parts = flags->part.parts;
  const Status report_path = CheckReportPath(flags->report_path);
  if (!report_path.ok()) return Fail("load", report_path);
  // A row that cannot be sent must leave a trace even where nobody thought of rejects.
  std::optional<ReservedFile> rejects;
  if (options.rejects_path.empty()) {
    Result<ReservedFile> reserved = ReservedFile::Make(options.index.index + "-rejects");
    if (!reserved.ok()) return Fail("load", reserved.status());
    rejects.emplace(*std::move(reserved));
    options.rejects_path = rejects->path();
    options.rejects_path_is_default = true;
  }

  observe::ProgressPrinter progress(flags->progress, stderr);
  options.on_progress = [&progress](const LoadProgress& now) { progress.Update(now); };
  options.on_message = [&progress](const std::string& message) {
    progress.Finish();
    fmt::print(stderr, "vecload: load: {}\n", message);
  };
  options.stop = StopOnSignal();
  const Result<LoadReport> report = Load(options);
  progress.Finish();
  if (!report.ok()) return Fail("load", report.status());

  int exit_code = report->exit_code;
  if (!report->status.ok()) {
    Fail("load", report->status.WithContext("stopped"));
    if (!report->journal_path.empty()) {
      fmt::print(stderr, "vecload: load: run the same command again to go on\n");
    }
  }
  const std::string json = observe::ReportJson(*report);
  fmt::print("{}", flags->output == OutputFormat::kJson ? json : observe::ReportText(*report));
  if (!flags->report_path.empty()) {
    const Status written = WriteReport(flags->report_path, json);
    if (!written.ok()) {
      Fail("load", written);
      if (exit_code == kExitOk) exit_code = kExitFailed;
    }
  }
  return exit_code;
}

}  // namespace

void AddLoad(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<LoadFlags>();
  CLI::App* command =
      app->add_subcommand("load", "Load vectors from Parquet or Arrow IPC into an index");
  AddSourceFlags(command, flags.get());
  AddIndexFlags(command, flags.get());
  AddPaceFlags(command, flags.get());
  AddResumeFlags(command, flags.get());
  AddShareFlags(command, flags.get());
  AddResultFlags(command, flags.get());
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
