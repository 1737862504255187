#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/duration_text.h"
#include "base/errno_status.h"
#include "base/macros.h"
#include "base/variants.h"
#include "source/typed_source.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/exit_codes.h"
#include "tools/trims/humanise.h"
#include "tools/trims/progress_bar.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

struct AddArguments {
  std::string name;
  std::string source;
  std::vector<std::string> variants;
  std::string precision;
  std::string granularity;
  std::vector<std::string> extensions;
  uint32_t keep_versions = 0;
  std::string keep_for;  // empty: not by age
  bool follow_links = false;
};

Result<std::string> WorkingFolder() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::current_path(error);
  if (error) return ErrnoStatus("cannot find the current folder", error.value());
  return folder.string();
}

// The daemon runs elsewhere: what it is told has to be there, under its whole path.
Result<std::vector<std::string>> AbsoluteFiles(const std::vector<std::string>& files,
                                               const std::filesystem::path& folder) {
  std::vector<std::string> paths;
  for (const std::string& file : files) {
    std::error_code error;
    paths.push_back((folder / file).lexically_normal().string());
    if (std::filesystem::is_regular_file(paths.back(), error)) continue;
    return Status(StatusCode::kNotFound,
                  "--onnxruntime-extension: there is no file '" + paths.back() + "'",
                  "give the path of a library with custom operators");
  }
  return paths;
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
  for (const Json& old : List(model, "retired")) {
    if (!old.is_string()) continue;
    text += "removed " + ShortReference(Printable(old.get_ref<const std::string&>())) + '\n';
  }
  for (const Json& note : List(model, "notes")) {
    if (note.is_string()) text += "note: " + Printable(note.get_ref<const std::string&>()) + '\n';
  }
  return text;
}

// Variants that no open can have. Nothing is said where the daemon's budget can't be learned.
std::string TooLargeWarnings(const Json& model, Admin* admin) {
  const Result<std::string> document = admin->GetStatus();
  if (!document.ok()) return "";
  const Result<Json> status = ParseDocument(*document);
  if (!status.ok()) return "";
  const uint64_t budget = Number(Object(*status, "host"), "budget_bytes");
  std::string text;
  for (const Json& variant : List(model, "variants")) {
    if (Number(variant, "bytes") <= budget) continue;
    text += fmt::format(
        "warning: variant {} can't be opened here: it takes {} bytes, and the host budget is {} "
        "bytes (trimsd --host-budget)\n",
        Text(variant, "kind"), Number(variant, "bytes"), budget);
  }
  return text;
}

Result<std::chrono::seconds> KeptFor(const std::string& text) {
  if (text.empty()) return std::chrono::seconds(0);
  Result<std::chrono::milliseconds> parsed = ParseDuration(text);
  if (!parsed.ok()) {
    return Status(parsed.status().code(), "--keep-for: " + parsed.status().message(),
                  "write it as 30d or 12h");
  }
  if (*parsed == std::chrono::milliseconds(0)) {
    return Status(StatusCode::kInvalidArgument,
                  "--keep-for: '" + text + "' would keep no version, the new one neither",
                  "write it as 30d or 12h");
  }
  return std::chrono::ceil<std::chrono::seconds>(*parsed);
}

Result<int> RunAdd(const Context& context, const AddArguments& arguments) {
  AddOptions options;
  TRIMS_ASSIGN_OR_RETURN(options.variants, VariantsFromNames(arguments.variants));
  TRIMS_ASSIGN_OR_RETURN(const std::string folder, WorkingFolder());
  TRIMS_ASSIGN_OR_RETURN(
      const std::string url,
      TypedSourceUrl(arguments.source, folder, {.follow_links = arguments.follow_links}));
  options.precision = arguments.precision;
  options.granularity = arguments.granularity;
  options.keep_versions = arguments.keep_versions;
  TRIMS_ASSIGN_OR_RETURN(options.keep_for, KeptFor(arguments.keep_for));
  TRIMS_ASSIGN_OR_RETURN(options.onnxruntime_extensions,
                         AbsoluteFiles(arguments.extensions, folder));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  const SteadyClock clock;
  const TimePoint started = clock.Now();
  ProgressBar bar(context.terminal, clock);
  options.on_progress = [&bar](const Progress& progress) { bar.Update(progress); };
  Result<std::string> document = admin.Add(arguments.name, url, options);
  bar.Clear();
  if (!document.ok()) return document.status();
  TRIMS_ASSIGN_OR_RETURN(const Json model, ParseDocument(*document));
  if (context.globals.json) {
    context.PrintDocument(*document);
  } else {
    context.out() << Summary(model, clock.Now() - started);
  }
  context.terminal.err << TooLargeWarnings(model, &admin);
  return kExitOk;
}

}  // namespace

Command MakeAddCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand("add", "Register a model and prepare it");
  auto arguments = std::make_shared<AddArguments>();
  app->add_option("NAME", arguments->name, "[namespace/]name[:version] to give it")
      ->required()
      ->type_name("");
  app->add_option(
         "SOURCE", arguments->source,
         "A file or folder: a path, hf-cache:ORG/NAME[@REVISION][/FILE], or what trimsd downloads: "
         "https://, s3://, hf://, oci:// (docs/sources.md)")
      ->required()
      ->type_name("");
  app->add_option("--variant", arguments->variants,
                  "files, tensors or ort; again for more (default: all that the format allows)")
      ->type_name("KIND")
      ->allow_extra_args(false)
      ->delimiter(',');
  app->add_option("--precision", arguments->precision,
                  "Of weights that are there in several, e.g. fp16 (default: those without one in "
                  "their name)")
      ->type_name("NAME");
  app->add_option(
         "--granularity", arguments->granularity,
         "model, or block: 2 MiB that another model of the namespace has already are there "
         "once, on the disk and in memory; layer: so, with each long layer of `tensors` laid at a "
         "block's beginning (default: what trimsd was started with)")
      ->type_name("KIND");
  app->add_option("--keep-versions", arguments->keep_versions,
                  "Then forget older versions of that name, but none that an alias means, that is "
                  "pinned or open (default: keep all)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""));
  app->add_option(
         "--keep-for", arguments->keep_for,
         "The same with those that were added longer ago, such as 30d; what one of the two "
         "keeps stays")
      ->type_name("DURATION");
  app->add_flag("--follow-links", arguments->follow_links,
                "Links in the folder may lead out of it, wherever the daemon may read");
  app->add_option("--onnxruntime-extension", arguments->extensions,
                  "A library with the model's custom operators; again for more")
      ->type_name("LIB")
      ->allow_extra_args(false);
  return {app, [arguments](const Context& context) { return RunAdd(context, *arguments); }};
}

}  // namespace trims::cli
