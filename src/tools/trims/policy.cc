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

Result<int> RunPolicy(const Context& context, const PolicyOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Policy(options));
  return Answer(context, document, RenderPolicy);
}

}  // namespace

Command MakePolicyCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "policy",
      "What decides about what stays in memory, and how much; with options: change it, at once");
  auto options = std::make_shared<PolicyOptions>();
  app->add_option("--eviction", options->eviction, "Which model goes for another")
      ->type_name("NAME")
      ->check(NotEmpty());
  app->add_option("--admission", options->admission, "Which newcomer may push others out for long")
      ->type_name("NAME")
      ->check(NotEmpty());
  app->add_option("--reclaim", options->reclaim,
                  "When a model that nobody uses goes: eager, lazy, or after how long: 10m")
      ->type_name("WHEN")
      ->check(NotEmpty());
  app->add_option("--budget", options->budget,
                  "What models may take of the tier from now on: 8GiB, 50%; of the disk also: none")
      ->type_name("SIZE|N%")
      ->check(NotEmpty());
  app->add_option("--quota", options->quota,
                  "What a namespace may take of each tier: team-a:bytes=8GiB,leases=100,loads=4,"
                  "loads-per-minute=60,guaranteed=2GiB; '*' is each without one; team-a:none")
      ->type_name("QUOTA")
      ->check(NotEmpty());
  app->add_option("--tier", options->tier, "The tier that is meant, or disk [host]")
      ->type_name("NAME")
      ->check(NotEmpty());
  return {app, [options](const Context& context) { return RunPolicy(context, *options); }};
}

}  // namespace trims::cli
