#include <string>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/exit_codes.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

Result<int> RunStatus(const Context& context) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.GetStatus());
  if (context.globals.json) {
    context.PrintDocument(document);
    return kExitOk;
  }
  TRIMS_ASSIGN_OR_RETURN(const Json status, ParseDocument(document));
  context.out() << RenderStatus(status);
  return kExitOk;
}

}  // namespace

Command MakeStatusCommand(CLI::App* root) {
  return {root->add_subcommand("status", "Show the daemon, its memory and what is resident"),
          RunStatus};
}

}  // namespace trims::cli
