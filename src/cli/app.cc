#include "cli/app.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "vecload/source.h"
#include "vecload/version.h"

namespace vecload::cli {
namespace {

// CLI11's help without its "Needs:" and "Excludes:", which the descriptions say in words.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (!option->get_type_name().empty()) text += " " + option->get_type_name();
    if (option->get_required()) text += " (required)";
    return text;
  }
};

// "vecload index create": the deepest command that the line named.
std::string NamedCommand(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* command = &app; !command->get_subcommands().empty();) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  return name;
}

int UsageError(const CLI::App& app, const CLI::ParseError& error) {
  const std::string named = NamedCommand(app);
  const std::string prefix = named == "vecload" ? "" : named.substr(8) + ": ";
  std::string message = error.what();
  if (message.starts_with("A subcommand is required")) {
    const std::vector<std::string> rest = app.remaining(true);
    message = rest.empty() ? "a command is required" : "there is no command " + rest.front();
  }
  fmt::print(stderr, "vecload: {}{}; see {} --help\n", prefix, message, named);
  return kExitUsage;
}

void Declare(CLI::App* app, Command* chosen) {
  app->name("vecload");
  app->require_subcommand(1);
  app->set_help_flag("-h,--help", "Print this help and exit");
  app->set_version_flag("--version", std::string("vecload ") + kVersion,
                        "Print the version and exit");
  app->formatter(std::make_shared<HelpFormatter>());
  app->get_formatter()->label("SUBCOMMAND", "COMMAND");
  app->get_formatter()->label("Subcommands", "Commands");
  app->get_formatter()->column_width(38);
  app->footer(
      "An index is BUCKET/INDEX or an ARN. `vecload COMMAND --help` shows a command's flags.\n\n"
      "Exit codes: 0 done; 1 nothing begun, or an internal error; 2 usage; 3 finished, some rows\n"
      "rejected or shards without answer; 4 stopped after the job began, run it again to go on;\n"
      "5 verify found differences, or plan keys that come twice.");
  AddLoad(app, chosen);
  AddDelete(app, chosen);
  AddServe(app, chosen);
  AddQuery(app, chosen);
  AddIndex(app, chosen);
  AddBucket(app, chosen);
  AddJournal(app, chosen);
  AddGenerate(app, chosen);
  AddVerify(app, chosen);
  AddExport(app, chosen);
  AddPlan(app, chosen);
  AddDoctor(app, chosen);
  AddCompletion(app, chosen);
}

int RunCommand(const Command& command) {
  // A closed pipe and a file over its limit are errors to be told, not reasons to die.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  int exit_code = command.action();
  ShutdownSources();
  if (fflush(stdout) != 0 && exit_code == kExitOk) {
    exit_code = Fail(command.name, Status::Io("the result cannot be written to stdout"));
  }
  return exit_code;
}

}  // namespace

int Run(int argc, const char* const* argv) {
  CLI::App app("Moves vectors from Parquet into Amazon S3 Vectors.");
  Command chosen;
  try {
    Declare(&app, &chosen);
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help, --version
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error);
  }
  try {
    return RunCommand(chosen);
  } catch (const std::exception& error) {
    return Fail(chosen.name, Status::Internal(fmt::format("internal error: {}", error.what())));
  }
}

}  // namespace vecload::cli
