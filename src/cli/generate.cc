#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "vecload/source.h"

namespace vecload::cli {
namespace {

struct GenerateFlags {
  GenerateOptions generate;
  OutputFormat output = OutputFormat::kText;
};

int RunGenerate(const GenerateFlags& flags) {
  const Result<std::vector<std::string>> paths = GenerateParquet(flags.generate);
  if (!paths.ok()) return Fail("generate", paths.status());
  if (flags.output == OutputFormat::kText) {
    for (const std::string& path : *paths) fmt::print("{}\n", path);
    return kExitOk;
  }
  JsonWriter json;
  json.BeginObject().Key("rows").Uint(flags.generate.rows).Key("files").BeginArray();
  for (const std::string& path : *paths) json.String(path);
  json.EndArray().EndObject();
  fmt::print("{}\n", json.text());
  return kExitOk;
}

}  // namespace

void AddGenerate(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<GenerateFlags>();
  GenerateOptions* generate = &flags->generate;
  CLI::App* command = app->add_subcommand("generate", "Write a synthetic Parquet source");
  command->add_option("OUT.parquet", generate->path, "With --files: OUT-0000.parquet, ...")
      ->required()
      ->type_name("");
  command->add_option("--rows", generate->rows, "Rows in all")
      ->required()
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  command->add_option("--dimension", generate->dimension, "Length of the vectors, 1 to 4096")
      ->required()
      ->type_name("D")
      ->check(CLI::Range(1, 4096).description(""));
  command->add_option("--seed", generate->seed, "Same seed, same bytes; default: 0")
      ->type_name("S");
  command->add_option("--files", generate->files, "Spread over so many files; default: 1")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000).description(""));
  command->add_option("--row-group-rows", generate->row_group_rows, "Default: 65536")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  command->add_option("--codec", generate->codec, "none, snappy (default), zstd, lz4 or gzip")
      ->type_name("CODEC")
      ->check(OneOf({"none", "snappy", "zstd", "lz4", "gzip"}));
  AddOutputFlag(command, &flags->output);
  command->footer(
      "Columns: id (\"v-000000042\"), embedding (float32, unit length), category, year.\n\n"
      "Example:\n"
      "  vecload generate vectors.parquet --rows 100000 --dimension 1024 --files 4");
  command->callback(
      [flags, chosen] { *chosen = {"generate", [flags] { return RunGenerate(*flags); }}; });
}

}  // namespace vecload::cli
