#include "tools/trims/usage_error.h"

#include <algorithm>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/near_names.h"

namespace trims::cli {
namespace {

// The command that was recognised, or null.
const CLI::App* ChosenCommand(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? nullptr : chosen.front();
}

void AppendOptionNames(const CLI::App& app, std::vector<std::string>* names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names->push_back(name);
  }
}

std::string HelpCommand(const CLI::App* command) {
  return command == nullptr ? "trims --help" : "trims " + command->get_name() + " --help";
}

std::string DidYouMean(const std::string& near, const CLI::App* command) {
  return near.empty() ? HelpCommand(command)
                      : "did you mean '" + near + "'? (" + HelpCommand(command) + ")";
}

Status UnknownOption(const CLI::App& app, const std::string& word) {
  const CLI::App* command = ChosenCommand(app);
  std::vector<std::string> names;
  AppendOptionNames(app, &names);
  if (command != nullptr) AppendOptionNames(*command, &names);
  const std::string name = word.substr(0, word.find('='));
  // Without the dashes, which every option shares and which make all of them look alike.
  const std::string bare = name.substr(std::min(name.size(), name.find_first_not_of('-')));
  const std::string near = NearestName(bare, names);
  return Status(StatusCode::kInvalidArgument, "unknown option '" + name + "'",
                DidYouMean(near.empty() ? "" : "--" + near, command));
}

Status UnknownCommand(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return Status(StatusCode::kInvalidArgument, "unknown command '" + word + "'",
                DidYouMean(NearestName(word, names), nullptr));
}

}  // namespace

Status UnknownArgument(const CLI::App& app) {
  const std::vector<std::string> left = app.remaining(/*recurse=*/true);
  if (left.empty()) return {};
  const std::string& word = left.front();
  if (word.size() > 1 && word.front() == '-') return UnknownOption(app, word);
  const CLI::App* command = ChosenCommand(app);
  if (command == nullptr) return UnknownCommand(app, word);
  return Status(StatusCode::kInvalidArgument,
                "'" + command->get_name() + "' does not expect '" + word + "'",
                HelpCommand(command));
}

Status UsageError(const CLI::App& app, const std::string& what) {
  if (Status unknown = UnknownArgument(app); !unknown.ok()) return unknown;
  const CLI::App* command = ChosenCommand(app);
  const std::string prefix = command == nullptr ? "" : command->get_name() + ": ";
  return Status(StatusCode::kInvalidArgument, prefix + what, HelpCommand(command));
}

}  // namespace trims::cli
