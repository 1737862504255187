#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/trims/command.h"
#include "tools/trims/completion_script.h"
#include "tools/trims/exit_codes.h"

namespace trims::cli {

Command MakeCompletionCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "completion", "Print a completion script: source <(trims completion bash)");
  auto shell = std::make_shared<std::string>();
  app->add_option("SHELL", *shell, "bash")
      ->required()
      ->check(CLI::IsMember({"bash"}))
      ->type_name("");
  return {app, [shell](const Context& context) -> Result<int> {
            context.out() << kBashCompletion;
            return kExitOk;
          }};
}

}  // namespace trims::cli
