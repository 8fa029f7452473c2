#include "vecload/export.h"

#include <cstdio>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "observe/report.h"

namespace vecload::cli {
namespace {

struct ExportFlags {
  ExportOptions options;
  OutputFormat output = OutputFormat::kText;
};

std::string ReportJson(const ExportReport& report) {
  JsonWriter json;
  json.BeginObject().Key("status").String(report.status.ok() ? "complete" : "stopped");
  if (!report.status.ok()) {
    json.Key("code").String(CodeName(report.status.code()));
    json.Key("message").String(report.status.message());
  }
  json.Key("vectors").Uint(report.vectors).Key("vectors_resumed").Uint(report.vectors_resumed);
  json.Key("files").BeginArray();
  for (const std::string& file : report.files) json.String(file);
  json.EndArray();
  json.Key("row_groups").Uint(report.row_groups).Key("bytes").Uint(report.bytes);
  json.Key("metadata_columns").Uint(report.metadata_columns);
  json.Key("metadata_json").Bool(report.has_json);
  json.Key("keys_without_column").BeginObject();
  for (const auto& [key, why] : report.keys_without_column) json.Key(key).String(why);
  json.EndObject();
  json.Key("shards").Uint(report.shards).Key("list_calls").Uint(report.list_calls);
  json.Key("segments_restarted").Uint(report.segments_restarted);
  json.Key("wall_s").Double(report.wall_s).Key("vectors_per_s").Double(report.vectors_per_s);
  json.Key("rss_bytes_max").Uint(report.rss_bytes_max);
  return json.EndObject().Take() + "\n";
}

std::string ReportText(const ExportReport& report, const ExportOptions& options) {
  using observe::HumanBytes;
  using observe::WithCommas;
  std::string text = fmt::format(
      "{}: {} vectors of {} in {} {}\n", report.status.ok() ? "exported" : "STOPPED",
      WithCommas(report.vectors), options.index.ToString(), Printable(options.path),
      report.status.ok() ? fmt::format("({} file{}, {})", WithCommas(report.files.size()),
                                       report.files.size() == 1 ? "" : "s",
                                       HumanBytes(static_cast<double>(report.bytes)))
                         : "are written; the same command again goes on");
  if (report.vectors_resumed != 0) {
    text += fmt::format("  {} of them by earlier runs\n", WithCommas(report.vectors_resumed));
  }
  text += fmt::format("  {} at {} vectors/s, {} pages listed, {} of memory at most\n",
                      observe::HumanDuration(report.wall_s),
                      WithCommas(static_cast<uint64_t>(report.vectors_per_s)),
                      WithCommas(report.list_calls),
                      HumanBytes(static_cast<double>(report.rss_bytes_max)));
  for (const auto& [key, why] : report.keys_without_column) {
    text += fmt::format("  no column for metadata key {}: {}\n", Printable(key), why);
  }
  if (report.status.ok()) {
    text += fmt::format("  back: vecload load {} --index BUCKET/INDEX\n", Printable(options.path));
  }
  return text;
}

class ProgressLines {
 public:
  void Update(const ExportProgress& now) {
    if (!pace_.IsDue()) return;
    if (now.is_surveying) {
      fmt::print(stderr, "vecload: export: first pass, for the types: {} vectors\n", now.vectors);
    } else {
      fmt::print(stderr, "vecload: export: {} vectors, {} written\n", now.vectors,
                 observe::HumanBytes(static_cast<double>(now.bytes)));
    }
  }

 private:
  LinePace pace_;
};

int RunExport(ExportFlags* flags) {
  ExportOptions& options = flags->options;
  ProgressLines progress;
  options.on_message = [](const std::string& message) {
    fmt::print(stderr, "vecload: export: {}\n", message);
  };
  options.on_progress = [&progress](const ExportProgress& now) { progress.Update(now); };
  options.stop = StopOnSignal();
  const Result<ExportReport> report = Export(options);
  if (!report.ok()) return Fail("export", report.status());
  if (!report->status.ok()) Fail("export", report->status);
  fmt::print("{}", flags->output == OutputFormat::kJson ? ReportJson(*report)
                                                        : ReportText(*report, options));
  return report->status.ok() ? kExitOk : kExitStopped;
}

void AddFileFlags(CLI::App* command, ExportOptions* options) {
  const std::string group = "Files";
  command
      ->add_flag("--typed", options->typed,
                 "A column for each metadata key whose values are of one type, found in a first "
                 "pass; default: one column of JSON, metadata")
      ->group(group);
  command
      ->add_flag("--overwrite", options->overwrite,
                 "Replace OUT, once everything is written; default: an OUT that exists is an error")
      ->group(group);
  command
      ->add_flag("--restart", options->restart,
                 "Forget the unfinished export that OUT.part holds; default: go on with it")
      ->group(group);
  command->add_option("--codec", options->codec, "none, snappy (default), zstd, lz4 or gzip")
      ->type_name("CODEC")
      ->check(OneOf({"none", "snappy", "zstd", "lz4", "gzip"}))
      ->group(group);
  AddParsed(command, "--row-group", &options->row_group_bytes_max, ParseBytes,
            "A row group's size in memory, about; default 16MiB. Each thread holds one")
      ->type_name("SIZE")
      ->group(group);
  AddParsed(command, "--file-size", &options->file_bytes_max, ParseBytes,
            "Of a folder's files, about; default 1GiB")
      ->type_name("SIZE")
      ->group(group);
}

}  // namespace

void AddExport(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<ExportFlags>();
  ExportOptions* options = &flags->options;
  CLI::App* command =
      app->add_subcommand("export", "Write an index, or all its shards, to Parquet");
  command
      ->add_option("OUT", options->path,
                   "One file where it ends in .parquet, else a folder of part-00000.parquet, ...")
      ->required()
      ->type_name("");
  AddParsed(command, "--index", &options->index, IndexName::Parse, "What to export")
      ->required()
      ->type_name("BUCKET/INDEX");
  command->add_option("--threads", options->threads, "Segments of the index read at once")
      ->type_name("N")
      ->check(CLI::Range(1, 64).description(""));
  AddFileFlags(command, options);
  AddOutputFlag(command, &flags->output);
  AddClientFlags(command, &options->client);
  command->footer(
      "Columns: key, vector (float32), metadata (JSON). Until all is written there is only\n"
      "OUT.part, and the same command again goes on with it.\n\n"
      "Exit codes: 0 exported; 1 nothing begun; 4 stopped, the same again goes on; 2 usage.\n\n"
      "Example:\n"
      "  vecload export --index my-bucket/my-index out.parquet");
  command->callback(
      [flags, chosen] { *chosen = {"export", [flags] { return RunExport(flags.get()); }}; });
}

}  // namespace vecload::cli
