#include <string>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/answer.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

Result<int> RunStatus(const Context& context) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.GetStatus());
  return Answer(context, document, RenderStatus);
}

}  // namespace

Command MakeStatusCommand(CLI::App* root) {
  return {root->add_subcommand("status", "Show the daemon, its memory and what is resident"),
          RunStatus};
}

}  // namespace trims::cli
