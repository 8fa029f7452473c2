#include "vecload/doctor.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace vecload::cli {
namespace {

struct DoctorFlags {
  DoctorOptions doctor;
  OutputFormat output = OutputFormat::kText;
};

constexpr size_t kNameWidth = 13;
constexpr size_t kIndent = 9 + kNameWidth;

void PrintCheck(const Check& check) {
  fmt::print("{:<9}{:<{}}{}\n", CheckResultName(check.result), check.name, kNameWidth,
             Wrapped(Sentence(check.found), kIndent));
  if (!check.advice.empty()) {
    fmt::print("{:{}}{}\n", "", kIndent, Wrapped("-> " + Sentence(check.advice), kIndent));
  }
  (void)fflush(stdout);
}

std::string DiagnosisJson(const Diagnosis& diagnosis) {
  JsonWriter json;
  json.BeginObject().Key("ok").Bool(!diagnosis.failed()).Key("checks").BeginArray();
  for (const Check& check : diagnosis.checks) {
    json.BeginObject().Key("name").String(check.name);
    json.Key("result").String(CheckResultName(check.result)).Key("found").String(check.found);
    if (!check.advice.empty()) json.Key("advice").String(check.advice);
    json.EndObject();
  }
  return json.EndArray().EndObject().Take() + "\n";
}

int RunDoctor(DoctorFlags* flags) {
  const bool is_text = flags->output == OutputFormat::kText;
  const Diagnosis diagnosis =
      is_text ? Diagnose(flags->doctor, PrintCheck) : Diagnose(flags->doctor);
  if (!is_text) fmt::print("{}", DiagnosisJson(diagnosis));
  const int exit_code = diagnosis.failed() ? kExitFailed : kExitOk;
  if (!diagnosis.left_behind) return exit_code;
  // A check that was late still runs; nothing may be torn down under it.
  (void)fflush(stdout);
  std::_Exit(exit_code);
}

}  // namespace

void AddDoctor(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<DoctorFlags>();
  DoctorOptions* options = &flags->doctor;
  CLI::App* command = app->add_subcommand(
      "doctor", "Check all that a load needs: machine, keys, endpoint, index, source");
  AddSourceOptions(command, "Source", &options->sources, &options->source);
  command->get_option("SOURCE")->required(false);
  AddParsed(command, "--index", &options->index, IndexName::Parse,
            "An index to look at, with the calls that change nothing")
      ->type_name("BUCKET/INDEX");
  command->add_flag_callback(
      "--quick", [options] { options->measure_speed = false; },
      "Leave out the five seconds in which the speed of encoding is measured");
  AddOutputFlag(command, &flags->output);
  AddClientFlags(command, &options->client);
  command->footer(
      "Takes less than 30 s, and writes nothing. Exit codes: 0 nothing failed; 1 something did;\n"
      "2 usage.\n\n"
      "Example:\n"
      "  vecload doctor embeddings.parquet --index my-bucket/my-index");
  command->callback(
      [flags, chosen] { *chosen = {"doctor", [flags] { return RunDoctor(flags.get()); }}; });
}

}  // namespace vecload::cli
