#include "vecload/verify.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/reserved_file.h"
#include "cli/signals.h"

namespace vecload::cli {
namespace {

struct VerifyFlags {
  VerifyOptions verify;
  OutputFormat output = OutputFormat::kText;
};

void AddSourceFlags(CLI::App* command, VerifyOptions* options) {
  const std::string group = "Source (as it was loaded)";
  AddSourceOptions(command, group, &options->sources, &options->source);
  AddChoice(command, "--on-duplicate", &options->expected_row,
            {{"first", ExpectedRow::kFirst}, {"last", ExpectedRow::kLast}},
            "As it was loaded: of several rows with one key the first or the last is in the index; "
            "default: any of them")
      ->type_name("first|last")
      ->group(group);
  AddShardBy(command, &options->source,
             "As it was loaded: every index of a value of this column is compared, and INDEX is "
             "what their names begin with")
      ->group(group);
  command
      ->add_option("--rejects", options->rejects_path,
                   "The load's rejects file: its rows are expected to be absent")
      ->type_name("FILE")
      ->group(group);
}

void AddCompareFlags(CLI::App* command, VerifyOptions* options) {
  const std::string group = "Comparison (default: everything)";
  AddChoice(command, "--metadata-numbers", &options->metadata_numbers,
            {{"float64", MetadataNumbers::kFloat64}, {"float32", MetadataNumbers::kFloat32}},
            "Numbers in metadata are the same where they are as float64 (default) or float32")
      ->type_name("float64|float32")
      ->group(group);
  command->add_flag("--keys-only", options->keys_only, "Compare which keys there are, no more")
      ->group(group);
  command
      ->add_option("--sample", options->sample,
                   "Ask for about N keys of the source instead of listing the index; cannot see "
                   "extra keys")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40).description(""))
      ->group(group);
  command->add_option("--threads", options->threads, "Segments of the index read at once")
      ->type_name("N")
      ->check(CLI::Range(1, 64).description(""))
      ->group(group);
  AddParsed(command, "--memory", &options->memory_bytes_max, ParseBytes,
            "Budget for naming differences, like 32MiB (default); more goes to $TMPDIR")
      ->type_name("SIZE")
      ->group(group);
}

std::string ReportJson(const VerifyReport& report, const VerifyOptions& options) {
  JsonWriter json;
  json.BeginObject().Key("equal").Bool(report.equal());
  json.Key("source_rows").Uint(report.source_rows);
  json.Key("index_vectors").Uint(report.index_vectors);
  if (options.sample != 0) json.Key("sampled_rows").Uint(report.sampled_rows);
  json.Key("rows_rejected").Uint(report.rows_rejected);
  json.Key("rows_unloadable").Uint(report.rows_unloadable);
  json.Key("missing").Uint(report.missing).Key("extra").Uint(report.extra);
  json.Key("different_vector").Uint(report.different_vector);
  json.Key("different_metadata").Uint(report.different_metadata);
  json.Key("shards").Uint(report.shards).Key("list_calls").Uint(report.list_calls);
  json.Key("wall_s").Double(report.wall_s);
  if (report.missing + report.different_vector + report.different_metadata != 0) {
    json.Key("differences").String(options.differences_path);
  }
  if (report.extra != 0) json.Key("extra_keys").String(options.extra_path);
  return json.EndObject().Take() + "\n";
}

std::string ReportText(const VerifyReport& report, const VerifyOptions& options) {
  const char* what = options.keys_only ? "keys" : "vectors";
  std::string text =
      fmt::format("{}: {} source rows, {} {} of {}{}\n", report.equal() ? "equal" : "DIFFERENT",
                  report.source_rows, report.index_vectors, what, options.index.ToString(),
                  options.sample != 0 ? " asked for" : "");
  if (report.rows_rejected != 0) {
    text += fmt::format("  {} rows are listed as rejected\n", report.rows_rejected);
  }
  if (report.rows_unloadable != 0) {
    text += fmt::format("  {} rows break a rule of the index, so they could not have been loaded\n",
                        report.rows_unloadable);
  }
  if (!report.equal()) {
    text +=
        fmt::format("  missing {}, extra {}, other vector {}, other metadata {}\n", report.missing,
                    report.extra, report.different_vector, report.different_metadata);
  }
  if (report.missing + report.different_vector + report.different_metadata != 0) {
    text +=
        fmt::format("  rows: {} (load them again with --rows-from)\n", options.differences_path);
  }
  if (report.extra != 0) {
    text +=
        fmt::format("  extra keys: {} (delete them with delete --keys-from)\n", options.extra_path);
  }
  return text;
}

class ProgressLines {
 public:
  void Update(const VerifyProgress& now) {
    if (!pace_.IsDue()) return;
    fmt::print(stderr, "vecload: verify: pass {}: {} of {} rows, {} vectors\n", now.pass,
               now.source_rows, now.source_rows_total, now.index_vectors);
  }

 private:
  LinePace pace_;
};

// Gives `path` a new file's name in this directory where the user named none.
Status Reserve(const std::string& stem, std::string* path, std::optional<ReservedFile>* file) {
  if (!path->empty()) return Status::Ok();
  VECLOAD_ASSIGN_OR_RETURN(ReservedFile reserved, ReservedFile::Make(stem));
  *path = reserved.path();
  file->emplace(std::move(reserved));
  return Status::Ok();
}

int RunVerify(VerifyFlags* flags) {
  VerifyOptions& options = flags->verify;
  std::optional<ReservedFile> differences;
  std::optional<ReservedFile> extra;
  const std::string& index = options.index.index;
  Status reserved = Reserve(index + "-differences", &options.differences_path, &differences);
  if (reserved.ok()) reserved = Reserve(index + "-extra", &options.extra_path, &extra);
  if (!reserved.ok()) return Fail("verify", reserved);
  ProgressLines progress;
  options.on_progress = [&progress](const VerifyProgress& now) { progress.Update(now); };
  options.stop = StopOnSignal();
  const Result<VerifyReport> report = Verify(options);
  if (!report.ok()) {
    Fail("verify", report.status().WithContext("could not compare"));
    return report.status().code() == Code::kCancelled ? kExitStopped : kExitFailed;
  }
  fmt::print("{}", flags->output == OutputFormat::kJson ? ReportJson(*report, options)
                                                        : ReportText(*report, options));
  return report->equal() ? kExitOk : kExitDifferent;
}

}  // namespace

void AddVerify(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<VerifyFlags>();
  VerifyOptions* options = &flags->verify;
  CLI::App* command =
      app->add_subcommand("verify", "Compare the whole source with the whole index");
  AddSourceFlags(command, options);
  AddParsed(command, "--index", &options->index, IndexName::Parse, "Where the vectors went")
      ->required()
      ->type_name("BUCKET/INDEX");
  AddCompareFlags(command, options);
  const std::string group = "Result";
  command
      ->add_option("--differences", options->differences_path,
                   "Where rows that are missing or different are told, for load --rows-from; "
                   "default: a new INDEX-differences.jsonl in this directory, if there are any")
      ->type_name("FILE")
      ->group(group);
  command
      ->add_option("--extra", options->extra_path,
                   "Where keys are told that only the index has; default: a new INDEX-extra.jsonl "
                   "in this directory, if there are any")
      ->type_name("FILE")
      ->group(group);
  AddOutputFlag(command, &flags->output);
  AddClientFlags(command, &options->client);
  command->footer(
      "Exit codes: 0 equal; 5 different; 1 could not compare; 4 stopped by a signal; 2 usage.\n\n"
      "Example:\n"
      "  vecload verify embeddings.parquet --index my-bucket/my-index");
  command->callback(
      [flags, chosen] { *chosen = {"verify", [flags] { return RunVerify(flags.get()); }}; });
}

}  // namespace vecload::cli
