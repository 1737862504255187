#include <memory>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/answer.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

Result<int> RunDrain(const Context& context, bool off, bool wait) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Drain({.on = !off, .wait = wait}));
  return Answer(context, document, RenderDrain);
}

}  // namespace

Command MakeDrainCommand(CLI::App* root) {
  CLI::App* app =
      root->add_subcommand("drain", "Serve nobody any more; whoever has a model open keeps it");
  auto off = std::make_shared<bool>(false);
  auto wait = std::make_shared<bool>(false);
  CLI::Option* serve = app->add_flag("--off", *off, "Serve again");
  app->add_flag("--wait", *wait, "Return once nobody has a model open")->excludes(serve);
  return {app, [off, wait](const Context& context) { return RunDrain(context, *off, *wait); }};
}

}  // namespace trims::cli
