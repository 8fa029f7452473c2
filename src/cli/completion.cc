#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/exit_code.h"

// The script by which a shell completes what a user types. It is made from the commands as CLI11
// has them, so that it knows every flag; it runs no program, and asks no network for indexes.
namespace vecload::cli {
namespace {

constexpr std::string_view kChoicesMark = "choices:";

// A command line's commands are found word for word, so that a value never counts as one.
constexpr std::string_view kBashHead = R"(# Completes vecload in bash: . <(vecload completion bash)

_vecload() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command="" offered="" files="" i
  # bash takes --flag=value for three words.
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $previous == "=" && $COMP_CWORD -ge 2 ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command ${COMP_WORDS[i]}" in
)";

constexpr std::string_view kBashTail = R"(    esac
  fi
  COMPREPLY=()
  if [[ $files == yes ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
  fi
}
complete -F _vecload vecload
)";

// A command by its path, "index create", or "" for the program itself.
struct Described {
  std::string path;
  CLI::App* command;
};

void Describe(CLI::App* command, const std::string& path, std::vector<Described>* out) {
  out->push_back({path, command});
  for (CLI::App* child : command->get_subcommands([](CLI::App*) { return true; })) {
    Describe(child, path.empty() ? child->get_name() : path + " " + child->get_name(), out);
  }
}

// "--output", "-h": all names of its flags.
std::vector<std::string> Names(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

bool IsFile(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.starts_with("FILE") || type == "DIR" || type.starts_with("SOURCE");
}

// Of a positional its name tells.
bool IsFilePositional(const CLI::Option& option) {
  const std::string name = option.get_name(true);
  return name == "SOURCE" || name == "PATH" || name.starts_with("OUT");
}

std::string ValueCases(const Described& described) {
  std::string text;
  for (CLI::Option* option : described.command->get_options()) {
    const std::vector<std::string> names = Names(*option);
    if (names.empty() || option->get_items_expected_max() == 0) continue;
    const std::string action =
        IsFile(*option) ? "files=yes"
                        : fmt::format("offered=\"{}\"", fmt::join(OfferedChoices(option), " "));
    for (const std::string& name : names) {
      text += fmt::format("    \"{} {}\") {} ;;\n", described.path, name, action);
    }
  }
  return text;
}

// What may stand where no flag's value is due.
std::string WordCase(const Described& described) {
  std::vector<std::string> flags;
  std::vector<std::string> words;
  bool files = false;
  for (CLI::Option* option : described.command->get_options()) {
    const std::vector<std::string> names = Names(*option);
    flags.insert(flags.end(), names.begin(), names.end());
    if (!names.empty()) continue;
    files = files || IsFilePositional(*option);
    const std::vector<std::string> choices = OfferedChoices(option);
    words.insert(words.end(), choices.begin(), choices.end());
  }
  for (CLI::App* child : described.command->get_subcommands([](CLI::App*) { return true; })) {
    words.push_back(child->get_name());
  }
  return fmt::format(
      "    \"{}\")\n"
      "      if [[ $current == -* ]]; then\n"
      "        offered=\"{}\"\n"
      "      else\n"
      "        {}\n"
      "      fi ;;\n",
      described.path, fmt::join(flags, " "),
      files ? "files=yes" : fmt::format("offered=\"{}\"", fmt::join(words, " ")));
}

std::string BashScript(CLI::App* app) {
  std::vector<Described> all;
  Describe(app, "", &all);
  std::string script(kBashHead);
  for (const Described& one : all) {
    const std::string typed = one.path.find(' ') == std::string::npos ? " " + one.path : one.path;
    if (!one.path.empty()) {
      script += fmt::format("      \"{}\") command=\"{}\" ;;\n", typed, one.path);
    }
  }
  script += "    esac\n  done\n  case \"$command $previous\" in\n";
  for (const Described& one : all) script += ValueCases(one);
  script += "    *) command+=\":\" ;;\n  esac\n  if [[ $command == *: ]]; then\n";
  script += "    case \"${command%:}\" in\n";
  for (const Described& one : all) script += WordCase(one);
  return script.append(kBashTail);
}

}  // namespace

// The names stand in the validator's own: CLI11 keeps nothing else of an option's values.
CLI::Validator OneOf(const std::vector<std::string>& names) {
  return CLI::IsMember(names).description("").name(
      fmt::format("{}{}", kChoicesMark, fmt::join(names, " ")));
}

CLI::Validator Offering(const std::vector<std::string>& names) {
  return {[](const std::string&) { return std::string(); }, "",
          fmt::format("{}{}", kChoicesMark, fmt::join(names, " "))};
}

std::vector<std::string> OfferedChoices(CLI::Option* option) {
  for (int i = 0;; ++i) {
    try {
      const std::string name = option->get_validator(i)->get_name();
      if (name.starts_with(kChoicesMark)) {
        return CLI::detail::split(name.substr(kChoicesMark.size()), ' ');
      }
    } catch (const CLI::OptionNotFound&) {
      return {};
    }
  }
}

void AddCompletion(CLI::App* app, Command* chosen) {
  CLI::App* command =
      app->add_subcommand("completion", "Print the script by which a shell completes commands");
  CLI::Option* shell = command->add_option("SHELL", "bash");
  shell->required()->type_name("")->check(OneOf({"bash"}));
  command->footer("Example, for this shell:\n  . <(vecload completion bash)");
  command->callback([app, chosen] {
    *chosen = {"completion", [app] {
                 fmt::print("{}", BashScript(app));
                 return kExitOk;
               }};
  });
}

}  // namespace vecload::cli
