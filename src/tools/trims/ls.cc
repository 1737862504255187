#include <ctime>
#include <memory>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/answer.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

Result<int> RunLs(const Context& context, bool quiet) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.List());
  return Answer(context, document, [quiet](const Json& list) {
    return quiet ? RenderReferences(list) : RenderList(list, std::time(nullptr));
  });
}

}  // namespace

Command MakeLsCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand("ls", "List the models of this node");
  auto quiet = std::make_shared<bool>(false);
  app->add_flag("-q,--quiet", *quiet, "Print references only, one a line");
  return {app, [quiet](const Context& context) { return RunLs(context, *quiet); }};
}

}  // namespace trims::cli
