#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/errno_status.h"
#include "base/macros.h"
#include "base/variants.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/exit_codes.h"
#include "tools/trims/humanise.h"
#include "tools/trims/progress_bar.h"
#include "tools/trims/render.h"
#include "tools/trims/source_url.h"

namespace trims::cli {
namespace {

struct AddArguments {
  std::string name;
  std::string source;
  std::vector<std::string> variants;
};

Result<std::string> WorkingFolder() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::current_path(error);
  if (error) return ErrnoStatus("cannot find the current folder", error.value());
  return folder.string();
}

std::string Summary(const Json& model, Duration took) {
  std::string kinds;
  for (const Json& variant : List(model, "variants")) {
    kinds += (kinds.empty() ? "" : ", ") + Text(variant, "kind");
  }
  std::string text = "added " + ShortReference(Text(model, "reference")) + ": " +
                     Text(model, "format") + ", " + HumanBytes(Number(model, "source_bytes")) +
                     ", variants " + kinds;
  const auto seconds = std::chrono::round<std::chrono::seconds>(took);
  if (seconds.count() > 0) text += ", in " + HumanDuration(seconds);
  text += '\n';
  for (const Json& note : List(model, "notes")) {
    if (note.is_string()) text += "note: " + Printable(note.get_ref<const std::string&>()) + '\n';
  }
  return text;
}

Result<int> RunAdd(const Context& context, const AddArguments& arguments) {
  AddOptions options;
  TRIMS_ASSIGN_OR_RETURN(options.variants, VariantsFromNames(arguments.variants));
  TRIMS_ASSIGN_OR_RETURN(const std::string folder, WorkingFolder());
  TRIMS_ASSIGN_OR_RETURN(const std::string url, SourceUrl(arguments.source, folder));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  const SteadyClock clock;
  const TimePoint started = clock.Now();
  ProgressBar bar(context.terminal, clock);
  options.on_progress = [&bar](const Progress& progress) { bar.Update(progress); };
  Result<std::string> document = admin.Add(arguments.name, url, options);
  bar.Clear();
  if (!document.ok()) return document.status();
  if (context.globals.json) {
    context.PrintDocument(*document);
    return kExitOk;
  }
  TRIMS_ASSIGN_OR_RETURN(const Json model, ParseDocument(*document));
  context.out() << Summary(model, clock.Now() - started);
  return kExitOk;
}

}  // namespace

Command MakeAddCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand("add", "Register a model and prepare it");
  auto arguments = std::make_shared<AddArguments>();
  app->add_option("NAME", arguments->name, "[namespace/]name[:version] to give it")
      ->required()
      ->type_name("");
  app->add_option("SOURCE", arguments->source, "A file or folder: a path or a file:/// URL")
      ->required()
      ->type_name("");
  app->add_option("--variant", arguments->variants,
                  "files, tensors or ort; again for more (default: all that the format allows)")
      ->type_name("KIND")
      ->allow_extra_args(false)
      ->delimiter(',');
  return {app, [arguments](const Context& context) { return RunAdd(context, *arguments); }};
}

}  // namespace trims::cli
