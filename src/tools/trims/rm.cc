#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/answer.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

Result<int> RunRm(const Context& context, const std::string& reference) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Remove(reference));
  return Answer(context, document, RenderRemoved);
}

}  // namespace

Command MakeRmCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "rm",
      "Forget a model (all versions, unless one is given); running functions keep their pages");
  auto reference = std::make_shared<std::string>();
  app->add_option("REF", *reference, "[namespace/]name[:version] or …@sha256:<digest>")
      ->required()
      ->type_name("");
  return {app, [reference](const Context& context) { return RunRm(context, *reference); }};
}

}  // namespace trims::cli
