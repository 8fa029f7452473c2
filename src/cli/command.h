#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/values.h"
#include "vecload/client.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::cli {

enum class OutputFormat { kText, kJson };

// What the parsed line asks for: called once the whole line is known to be valid.
struct Command {
  std::string name;             // "index create", as in error messages
  std::function<int()> action;  // returns the exit code
};

// Each declares one command on `app`; when the line names it, `*chosen` is filled.
void AddLoad(CLI::App* app, Command* chosen);
void AddDelete(CLI::App* app, Command* chosen);
void AddServe(CLI::App* app, Command* chosen);
void AddQuery(CLI::App* app, Command* chosen);
void AddIndex(CLI::App* app, Command* chosen);
void AddBucket(CLI::App* app, Command* chosen);
void AddJournal(CLI::App* app, Command* chosen);
void AddGenerate(CLI::App* app, Command* chosen);
void AddVerify(CLI::App* app, Command* chosen);
void AddExport(CLI::App* app, Command* chosen);
void AddPlan(CLI::App* app, Command* chosen);
void AddDoctor(CLI::App* app, Command* chosen);
// The last one: it tells of all commands that are declared on `app` when it runs.
void AddCompletion(CLI::App* app, Command* chosen);

// The flags that every command with a service has in common.
void AddClientFlags(CLI::App* command, ClientOptions* options);
void AddOutputFlag(CLI::App* command, OutputFormat* format);
// SOURCE... and which of its columns become what.
void AddSourceOptions(CLI::App* command, const std::string& group,
                      std::vector<std::string>* sources, SourceOptions* options);
// Those of them that a source of keys has too.
void AddKeyColumnFlag(CLI::App* command, const std::string& group, SourceOptions* options);
void AddSourceS3Flags(CLI::App* command, const std::string& group, SourceOptions* options);

// --shard-by COLUMN.
CLI::Option* AddShardBy(CLI::App* command, SourceOptions* options, const std::string& help);

// An option whose text `parse` turns into `*out`; what it refuses becomes a usage error.
template <typename Out, typename T>
CLI::Option* AddParsed(CLI::App* command, const std::string& name, Out* out,
                       Result<T> (*parse)(std::string_view), const std::string& help) {
  return command->add_option_function<std::string>(
      name,
      [name, out, parse](const std::string& text) {
        Result<T> value = parse(text);
        if (!value.ok()) throw CLI::ValidationError(name, value.status().message());
        *out = *std::move(value);
      },
      help);
}

// Takes one of `names`, which shells offer.
CLI::Validator OneOf(const std::vector<std::string>& names);
// Takes anything; shells offer `names`.
CLI::Validator Offering(const std::vector<std::string>& names);
// What shells are to offer for the option's value, or nothing.
std::vector<std::string> OfferedChoices(CLI::Option* option);

// An option that is one of `choices`, by name.
template <typename T>
CLI::Option* AddChoice(CLI::App* command, const std::string& name, T* out,
                       const std::vector<std::pair<std::string, T>>& choices,
                       const std::string& help) {
  std::vector<std::string> names;
  for (const auto& choice : choices) names.push_back(choice.first);
  return command
      ->add_option_function<std::string>(
          name,
          [out, by_name = std::map<std::string, T>(choices.begin(), choices.end())](
              const std::string& chosen) { *out = by_name.at(chosen); },
          help)
      ->check(OneOf(names));
}

// "a,b", or the option several times; never swallows the arguments that follow.
CLI::Option* AddList(CLI::App* command, const std::string& name, std::vector<std::string>* out,
                     const std::string& help);

// "--tag k=v", any number of times.
CLI::Option* AddTags(CLI::App* command, std::vector<Tag>* tags);

// Prints "vecload: COMMAND: MESSAGE" to stderr and returns kExitFailed.
int Fail(std::string_view command, const Status& status);

}  // namespace vecload::cli
