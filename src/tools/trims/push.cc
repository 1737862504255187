#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/macros.h"
#include "source/push_destination.h"
#include "tools/trims/answer.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/humanise.h"
#include "tools/trims/progress_bar.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

struct PushArguments {
  std::string reference;
  std::string destination;
};

// What was typed, as a URL: a path, which need not be there yet, or a URL.
Result<std::string> DestinationUrl(const std::string& typed) {
  if (typed.find("://") != std::string::npos || typed.starts_with("file:/")) {
    TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParsePushDestination(typed));
    return uri.ToString();
  }
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(typed, error).lexically_normal();
  if (typed.empty() || error) {
    return Status(StatusCode::kInvalidArgument, "'" + typed + "' is no folder", "name a folder");
  }
  std::string text = path.string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return SourceUri::OfPath(std::move(text)).ToString();
}

std::string RenderPushed(const Json& pushed) {
  return "pushed " + ShortReference(Text(pushed, "reference")) + ", " +
         HumanBytes(Number(pushed, "bytes")) + ", to " + Text(pushed, "destination") + '\n';
}

Result<int> RunPush(const Context& context, const PushArguments& arguments) {
  TRIMS_ASSIGN_OR_RETURN(const std::string url, DestinationUrl(arguments.destination));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  const SteadyClock clock;
  ProgressBar bar(context.terminal, clock);
  const Result<std::string> document =
      admin.Push(arguments.reference, url,
                 {.on_progress = [&bar](const Progress& progress) { bar.Update(progress); }});
  bar.Clear();
  if (!document.ok()) return document.status();
  return Answer(context, *document, RenderPushed);
}

}  // namespace

Command MakePushCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "push", "Write a prepared model to where other nodes add it from, unprepared");
  auto arguments = std::make_shared<PushArguments>();
  app->add_option("REF", arguments->reference, "[namespace/]name[:version] or …@sha256:<digest>")
      ->required()
      ->type_name("");
  app->add_option("DESTINATION", arguments->destination,
                  "A folder, which is made if it is not there: a path or a file:/// URL; or "
                  "s3://BUCKET/PREFIX/ (docs/sources.md)")
      ->required()
      ->type_name("");
  return {app, [arguments](const Context& context) { return RunPush(context, *arguments); }};
}

}  // namespace trims::cli
