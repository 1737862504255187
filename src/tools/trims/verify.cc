#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "base/byte_size.h"
#include "base/clock.h"
#include "base/macros.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/exit_codes.h"
#include "tools/trims/progress_bar.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

struct VerifyArguments {
  std::string reference;
  std::string rate = "200MB";
};

bool AllWell(const Json& verified) {
  for (const Json& variant : List(verified, "variants")) {
    const std::string state = Text(variant, "state");
    if (state != "intact" && state != "mended" && state != "elsewhere") return false;
  }
  return true;
}

Result<int> RunVerify(const Context& context, const VerifyArguments& arguments) {
  VerifyOptions options;
  TRIMS_ASSIGN_OR_RETURN(options.bytes_per_second, ParseByteSize(arguments.rate));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  const SteadyClock clock;
  ProgressBar bar(context.terminal, clock);
  options.on_progress = [&bar](const Progress& progress) { bar.Update(progress); };
  const Result<std::string> document = admin.Verify(arguments.reference, options);
  bar.Clear();
  if (!document.ok()) return document.status();
  TRIMS_ASSIGN_OR_RETURN(const Json verified, ParseDocument(*document));
  if (context.globals.json) {
    context.PrintDocument(*document);
  } else {
    context.out() << RenderVerified(verified);
  }
  return AllWell(verified) ? kExitOk : kExitFailure;
}

}  // namespace

Command MakeVerifyCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "verify", "Read what is on the disk, compare all digests, and prepare again what is damaged");
  auto arguments = std::make_shared<VerifyArguments>();
  app->add_option("REF", arguments->reference,
                  "[namespace/]name[:version] or …@sha256:<digest> (default: all models)")
      ->type_name("");
  app->add_option("--rate", arguments->rate,
                  "Read no more than that a second, e.g. 50MB or 1GiB; 0: as fast as it goes")
      ->capture_default_str()
      ->type_name("BYTES");
  return {app, [arguments](const Context& context) { return RunVerify(context, *arguments); }};
}

}  // namespace trims::cli
