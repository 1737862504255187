// Command: one command of `trims`. Each has a file of its own and one Make…Command function, which
// adds the command to the CLI11 parser and returns what to run once the command line has been read.
//
//   Command MakeLsCommand(CLI::App* root) {
//     auto quiet = std::make_shared<bool>(false);
//     CLI::App* app = root->add_subcommand("ls", "List the models of this node");
//     app->add_flag("-q,--quiet", *quiet, "Print references only");
//     return {app, [quiet](const Context& context) { return RunLs(context, *quiet); }};
//   }
#ifndef TRIMS_TOOLS_TRIMS_COMMAND_H_
#define TRIMS_TOOLS_TRIMS_COMMAND_H_

#include <functional>
#include <string>

#include "trims/status.h"

#include "tools/trims/context.h"

namespace CLI {
class App;
}

namespace trims::cli {

struct Command {
  CLI::App* app = nullptr;
  // Writes its answer and returns the exit code; an error is left to the caller to report.
  std::function<Result<int>(const Context&)> run;
};

// "trims 0.1.0 (protocol 1)"
std::string VersionLine();

Command MakeAddCommand(CLI::App* root);
Command MakeLsCommand(CLI::App* root);
Command MakeShowCommand(CLI::App* root);
Command MakeRmCommand(CLI::App* root);
Command MakeStatusCommand(CLI::App* root);
Command MakeVerifyCommand(CLI::App* root);
Command MakePolicyCommand(CLI::App* root);
Command MakePinCommand(CLI::App* root);
Command MakeUnpinCommand(CLI::App* root);
Command MakeDemoteCommand(CLI::App* root);
Command MakeKeepAliveCommand(CLI::App* root);
Command MakePrefetchCommand(CLI::App* root);
Command MakeEvictCommand(CLI::App* root);
Command MakeTopCommand(CLI::App* root);
Command MakeExplainCommand(CLI::App* root);
Command MakeEventsCommand(CLI::App* root);
Command MakeTraceCommand(CLI::App* root);
Command MakeDrainCommand(CLI::App* root);
Command MakeAliasCommand(CLI::App* root);
Command MakeRollbackCommand(CLI::App* root);
Command MakePushCommand(CLI::App* root);
Command MakeDoctorCommand(CLI::App* root);
Command MakeVersionCommand(CLI::App* root);
Command MakeCompletionCommand(CLI::App* root);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_COMMAND_H_
