// keep-alive: how long a model stays that nobody has open.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/answer.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/not_empty.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

struct KeepAliveArguments {
  std::string name;
  std::string keep_alive;
};

Result<int> RunKeepAlive(const Context& context, const KeepAliveArguments& arguments) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document,
                         admin.KeepAlive(arguments.name, arguments.keep_alive));
  return Answer(context, document, RenderKeptAlive);
}

}  // namespace

Command MakeKeepAliveCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "keep-alive", "How long a model stays in memory that nobody has open; with TIME: change it");
  auto arguments = std::make_shared<KeepAliveArguments>();
  app->add_option("NAME", arguments->name, "[namespace/]name, all its versions, or an alias")
      ->required()
      ->type_name("");
  app->add_option("TIME", arguments->keep_alive,
                  "10m, 0, forever, or default: as trims policy --reclaim has it")
      ->type_name("")
      ->check(NotEmpty());
  return {app, [arguments](const Context& context) { return RunKeepAlive(context, *arguments); }};
}

}  // namespace trims::cli
