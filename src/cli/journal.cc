#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "journal/show.h"
#include "observe/report.h"

namespace vecload::cli {
namespace {

using journal::Counts;
using journal::Shown;

struct JournalFlags {
  std::string path;
  OutputFormat output = OutputFormat::kText;
};

double PercentDone(const Shown& shown) {
  if (shown.rows_total == 0) return 100;
  return 100 * static_cast<double>(shown.counts.rows) / static_cast<double>(shown.rows_total);
}

std::string StateOf(const Shown& shown) {
  if (shown.complete_since.has_value()) return "complete since " + UtcText(*shown.complete_since);
  return fmt::format("{:.1f} % done{}", PercentDone(shown), shown.in_use ? ", running" : "");
}

void PrintText(const Shown& shown) {
  std::vector<std::vector<std::string>> rows = {
      {"state", StateOf(shown)},
      {"begun", UtcText(shown.created)},
      {"rows", observe::WithCommas(shown.rows_total)},
      {"acknowledged", observe::WithCommas(shown.counts.acknowledged())},
      {"rejected", observe::WithCommas(shown.counts.rejected)},
      {"superseded", observe::WithCommas(shown.counts.superseded)},
      {"remaining", observe::WithCommas(shown.rows_total - shown.counts.rows)}};
  if (shown.counts.rejected > 0) rows.push_back({"rejects file", Printable(shown.rejects_path)});
  for (const journal::IdentityField& field : shown.identity) {
    if (!field.value.empty()) rows.push_back({field.name, Printable(field.value)});
  }
  fmt::print("{}\n", Table(rows));
  std::vector<std::vector<std::string>> files = {{"done", "rows", "file"}};
  for (const journal::FileProgress& file : shown.files) {
    files.push_back({observe::WithCommas(file.counts.rows), observe::WithCommas(file.rows),
                     Printable(file.uri)});
  }
  fmt::print("{}", Table(files));
}

void WriteCounts(const Counts& counts, uint64_t rows_total, JsonWriter* json) {
  json->Key("rows_total").Uint(rows_total);
  json->Key("vectors_acknowledged").Uint(counts.acknowledged());
  json->Key("vectors_rejected").Uint(counts.rejected);
  json->Key("vectors_superseded").Uint(counts.superseded);
  json->Key("rows_remaining").Uint(rows_total - counts.rows);
}

void PrintJson(const Shown& shown) {
  JsonWriter json;
  json.BeginObject();
  json.Key("schema_version").Int(shown.schema_version);
  json.Key("running").Bool(shown.in_use);
  json.Key("begun").String(UtcText(shown.created));
  if (shown.complete_since.has_value()) {
    json.Key("complete_since").String(UtcText(*shown.complete_since));
  }
  WriteCounts(shown.counts, shown.rows_total, &json);
  json.Key("segments").Uint(shown.segments);
  json.Key("rejects").String(shown.rejects_path);
  json.Key("rejects_bytes").Uint(shown.rejects_bytes);
  json.Key("job").BeginObject();
  for (const journal::IdentityField& field : shown.identity) {
    json.Key(field.name).String(field.value);
  }
  json.EndObject();
  json.Key("files").BeginArray();
  for (const journal::FileProgress& file : shown.files) {
    json.BeginObject().Key("file").String(file.uri);
    WriteCounts(file.counts, file.rows, &json);
    json.EndObject();
  }
  json.EndArray().EndObject();
  fmt::print("{}\n", json.text());
}

int RunShow(const JournalFlags& flags) {
  const Result<Shown> shown = journal::Show(flags.path);
  if (!shown.ok()) return Fail("journal show", shown.status());
  if (flags.output == OutputFormat::kJson) {
    PrintJson(*shown);
  } else {
    PrintText(*shown);
  }
  return kExitOk;
}

}  // namespace

void AddJournal(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<JournalFlags>();
  CLI::App* journal = app->add_subcommand("journal", "Look into the journal of a load");
  journal->require_subcommand(1);
  CLI::App* show = journal->add_subcommand("show", "Tell how far a load is, also while it runs");
  show->add_option("PATH", flags->path, "The journal; `load` names it in its report")
      ->required()
      ->type_name("");
  AddOutputFlag(show, &flags->output);
  show->footer("Example:\n  vecload journal show ~/.local/state/vecload/4f0c2a91d3b85e67.journal");
  show->callback(
      [flags, chosen] { *chosen = {"journal show", [flags] { return RunShow(*flags); }}; });
}

}  // namespace vecload::cli
