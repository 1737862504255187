// pin, unpin, prefetch, evict and demote: one model in one tier each.
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/macros.h"
#include "base/variants.h"
#include "tools/trims/answer.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/progress_bar.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

struct ResidentArguments {
  std::string reference;
  std::vector<std::string> variants;
  std::string tier;
  bool no_wait = false;
  bool when_idle = false;
};
using ResidentCall = Result<std::string> (Admin::*)(std::string_view, const ResidentOptions&);

Result<int> RunResident(const Context& context, const ResidentArguments& arguments,
                        ResidentCall call) {
  ResidentOptions options{
      .tier = arguments.tier, .wait = !arguments.no_wait, .when_idle = arguments.when_idle};
  TRIMS_ASSIGN_OR_RETURN(options.variants, VariantsFromNames(arguments.variants));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  const SteadyClock clock;
  ProgressBar bar(context.terminal, clock);
  options.on_progress = [&bar](const Progress& progress) { bar.Update(progress); };
  const Result<std::string> document = (admin.*call)(arguments.reference, options);
  bar.Clear();
  if (!document.ok()) return document.status();
  return Answer(context, *document, RenderControlled);
}

// A command of that kind with the options that all of them have.
CLI::App* AddResident(CLI::App* root, const std::string& name, const std::string& about,
                      const std::string& unnamed, ResidentArguments* arguments) {
  CLI::App* app = root->add_subcommand(name, about);
  app->add_option("REF", arguments->reference,
                  "[namespace/]name[:version], …@sha256:<digest>, alias")
      ->required()
      ->type_name("");
  app->add_option("--variant", arguments->variants,
                  "files, tensors or ort; again for more (default: " + unnamed + ")")
      ->type_name("KIND")
      ->allow_extra_args(false)
      ->delimiter(',');
  app->add_option("--tier", arguments->tier, "The tier that is meant [host]")->type_name("NAME");
  return app;
}

constexpr const char* kUsual = "ort, tensors or files, the first that there is";

}  // namespace

Command MakePinCommand(CLI::App* root) {
  auto arguments = std::make_shared<ResidentArguments>();
  CLI::App* app =
      AddResident(root, "pin", "Keep a model in memory, whatever needs its room; loads it", kUsual,
                  arguments.get());
  return {app, [arguments](const Context& context) {
            return RunResident(context, *arguments, &Admin::Pin);
          }};
}

Command MakeUnpinCommand(CLI::App* root) {
  auto arguments = std::make_shared<ResidentArguments>();
  CLI::App* app = AddResident(root, "unpin", "Let a pinned model go when its room is needed",
                              "all that are pinned", arguments.get());
  return {app, [arguments](const Context& context) {
            return RunResident(context, *arguments, &Admin::Unpin);
          }};
}

Command MakePrefetchCommand(CLI::App* root) {
  auto arguments = std::make_shared<ResidentArguments>();
  CLI::App* app =
      AddResident(root, "prefetch", "Load a model before it is opened", kUsual, arguments.get());
  app->add_flag("--no-wait", arguments->no_wait, "Return while it loads");
  return {app, [arguments](const Context& context) {
            return RunResident(context, *arguments, &Admin::Prefetch);
          }};
}

Command MakeEvictCommand(CLI::App* root) {
  auto arguments = std::make_shared<ResidentArguments>();
  CLI::App* app = AddResident(root, "evict", "Free the memory of a model that nobody has open",
                              "all that are there", arguments.get());
  app->add_flag("--when-idle", arguments->when_idle,
                "What somebody has open goes when nobody has any more");
  return {app, [arguments](const Context& context) {
            return RunResident(context, *arguments, &Admin::Evict);
          }};
}

Command MakeDemoteCommand(CLI::App* root) {
  auto arguments = std::make_shared<ResidentArguments>();
  CLI::App* app = AddResident(
      root, "demote",
      "Move a model one tier down: from a device to the host's memory, from there to the disk",
      "all that are there", arguments.get());
  app->add_flag("--when-idle", arguments->when_idle,
                "What somebody has open goes when nobody has any more");
  return {app, [arguments](const Context& context) {
            return RunResident(context, *arguments, &Admin::Demote);
          }};
}

}  // namespace trims::cli
