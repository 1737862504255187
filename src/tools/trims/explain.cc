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

struct ExplainArguments {
  std::string reference;
  std::string variant;
  std::string tier;
};

Result<int> RunExplain(const Context& context, const ExplainArguments& arguments) {
  ResidentOptions options{.tier = arguments.tier};
  if (!arguments.variant.empty()) {
    TRIMS_ASSIGN_OR_RETURN(const Variant kind, VariantFromName(arguments.variant));
    options.variants.push_back(kind);
  }
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Explain(arguments.reference, options));
  return Answer(context, document, RenderExplained);
}

}  // namespace

Command MakeExplainCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "explain", "What an open would come to now: from where, how long, what goes for it");
  auto arguments = std::make_shared<ExplainArguments>();
  app->add_option("REF", arguments->reference, "[namespace/]name[:version], or an alias")
      ->required()
      ->type_name("");
  app->add_option("--variant", arguments->variant,
                  "files, tensors or ort (default: the first that there is of ort, tensors, files)")
      ->type_name("KIND");
  app->add_option("--tier", arguments->tier, "The tier that is meant, or any [host]")
      ->type_name("NAME");
  return {app, [arguments](const Context& context) { return RunExplain(context, *arguments); }};
}

}  // namespace trims::cli
