#include <ctime>
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

Result<int> RunShow(const Context& context, const std::string& reference) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Show(reference));
  return Answer(context, document,
                [](const Json& model) { return RenderModel(model, std::time(nullptr)); });
}

}  // namespace

Command MakeShowCommand(CLI::App* root) {
  CLI::App* app =
      root->add_subcommand("show", "Show one model: files, variants, where it came from");
  auto reference = std::make_shared<std::string>();
  app->add_option("REF", *reference, "[namespace/]name[:version] or …@sha256:<digest>")
      ->required()
      ->type_name("");
  return {app, [reference](const Context& context) { return RunShow(context, *reference); }};
}

}  // namespace trims::cli
