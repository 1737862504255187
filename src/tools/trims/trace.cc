#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/duration_text.h"
#include "base/macros.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/exit_codes.h"
#include "tools/trims/follow_opens.h"
#include "tools/trims/humanise.h"
#include "tools/trims/otlp_exporter.h"
#include "tools/trims/render.h"
#include "trace/chrome_text.h"
#include "trace/chrome_tracks.h"
#include "trace/combine_traces.h"
#include "trace/trace_file.h"
#include "trace/trace_reader.h"
#include "trace/trace_summary.h"

namespace trims::cli {
namespace {

struct TraceArguments {
  std::string action;
  std::vector<std::string> files;
  std::string out;
  std::string lasting;
  std::string model;
  uint64_t count = 0;  // 0: without end
};

Result<int> Print(const Context& context, const Json& document,
                  std::string (*render)(const Json&)) {
  if (context.globals.json) {
    context.PrintDocument(document.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    context.out() << render(document);
  }
  return kExitOk;
}

Result<FollowWishes> WishesOf(const TraceArguments& arguments) {
  FollowWishes wishes{.model = arguments.model, .count = arguments.count};
  if (!arguments.lasting.empty()) {
    TRIMS_ASSIGN_OR_RETURN(wishes.lasting, ParseDuration(arguments.lasting));
  }
  return wishes;
}

std::string WriterText() {
  return ChromeWriterText({.pid = ChromeTracks::kDaemonPid,
                           .program = "trims trace record",
                           .monotonic = SteadyClock().Now().time_since_epoch(),
                           .unix_us = UnixMicrosecondsNow()});
}

Result<int> Record(const Context& context, const TraceArguments& arguments) {
  TRIMS_ASSIGN_OR_RETURN(FollowWishes wishes, WishesOf(arguments));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  const std::string path = arguments.out.empty() ? "trims-trace.json" : arguments.out;
  TRIMS_ASSIGN_OR_RETURN(TraceFile file, TraceFile::Create(path, {.replace = true}));
  TRIMS_RETURN_IF_ERROR(file.Append({{WriterText()}}));
  wishes.on_begin = [&] {
    context.terminal.err << "recording into " << Printable(path) << " until Ctrl-C" << std::endl;
  };
  ChromeTracks tracks;
  TRIMS_ASSIGN_OR_RETURN(const Followed followed,
                         FollowOpens(&admin, wishes, [&](const FollowedBatch& batch) {
                           return file.Append(tracks.Text(batch.trees));
                         }));
  const Json document = {{"file", path},
                         {"opens", followed.opens},
                         {"spans", followed.spans},
                         {"lost", followed.lost},
                         {"opens_lost", followed.opens_lost}};
  return Print(context, document, RenderRecorded);
}

// At most one line in so long: a collector that is gone stays so for a while.
class Troubles {
 public:
  explicit Troubles(const Context& context) : context_(context) {}

  void Tell(const Exported& exported) {
    if (exported.trouble.ok() || clock_.Now() < silent_until_) return;
    silent_until_ = clock_.Now() + std::chrono::seconds(30);
    context_.terminal.err << "trims: warning: spans dropped: " << exported.dropped << " ("
                          << Printable(exported.trouble.message()) << ")" << std::endl;
  }

 private:
  const Context& context_;
  const SteadyClock clock_;
  TimePoint silent_until_;
};

Result<int> Export(const Context& context, const TraceArguments& arguments) {
  TRIMS_ASSIGN_OR_RETURN(FollowWishes wishes, WishesOf(arguments));
  TRIMS_ASSIGN_OR_RETURN(OtlpSettings settings, ReadOtlpSettings(VariableOfProcess));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  wishes.on_begin = [&] { context.terminal.err << "exporting until Ctrl-C" << std::endl; };
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<OtlpExporter> exporter,
                         OtlpExporter::Start(std::move(settings), {}));
  Troubles troubles(context);
  const Result<Followed> followed = FollowOpens(&admin, wishes, [&](const FollowedBatch& batch) {
    exporter->Push(batch.trees);
    troubles.Tell(exporter->Look());
    return Status();
  });
  const Exported exported = exporter->Finish();  // what came until a daemon went, too
  troubles.Tell(exported);
  TRIMS_RETURN_IF_ERROR(followed.status());
  const Json document = {{"opens", followed->opens},
                         {"sent", exported.sent},
                         {"dropped", exported.dropped},
                         {"lost", followed->lost},
                         {"opens_lost", followed->opens_lost}};
  return Print(context, document, RenderExported);
}

Result<int> Combine(const Context& context, const TraceArguments& arguments) {
  if (arguments.out.empty()) {
    return Status(StatusCode::kInvalidArgument, "trace combine needs --out FILE",
                  "trims trace combine FILES… --out FILE");
  }
  TRIMS_ASSIGN_OR_RETURN(const CombinedTraces combined,
                         CombineTraces(arguments.files, arguments.out));
  const Json document = {{"file", arguments.out},
                         {"files", arguments.files.size()},
                         {"events", combined.events},
                         {"renumbered", combined.renumbered},
                         {"cut_off", combined.cut_off}};
  return Print(context, document, RenderCombined);
}

Result<int> Summarise(const Context& context, const TraceArguments& arguments) {
  TraceSummary summary;
  uint64_t events = 0;
  Json cut_off = Json::array();
  for (const std::string& path : arguments.files) {
    TRIMS_ASSIGN_OR_RETURN(const TraceRead read, ReadTrace(path, [&](const Json& event) {
                             summary.Add(event);
                             return Status();
                           }));
    events += read.events;
    if (read.cut_off) cut_off.push_back(path);
  }
  Json document = summary.Document();
  document["events"] = events;
  document["cut_off"] = std::move(cut_off);
  return Print(context, document, RenderTraceSummary);
}

Result<int> RunTrace(const Context& context, const TraceArguments& arguments) {
  const bool reads = arguments.action == "combine" || arguments.action == "summarise";
  if (reads == arguments.files.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "trace " + arguments.action + (reads ? " needs FILES" : " takes no FILES"),
                  "trims trace --help");
  }
  if (arguments.action == "record") return Record(context, arguments);
  if (arguments.action == "export") return Export(context, arguments);
  if (arguments.action == "combine") return Combine(context, arguments);
  return Summarise(context, arguments);
}

}  // namespace

Command MakeTraceCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "trace", "Record what each open and load does as a Chrome trace, or send it to a collector");
  auto arguments = std::make_shared<TraceArguments>();
  app->add_option(
         "ACTION", arguments->action,
         "record: into a file; export: to OTEL_EXPORTER_OTLP_ENDPOINT; combine: FILES into "
         "one; summarise: FILES as a table")
      ->required()
      ->check(CLI::IsMember({"record", "export", "combine", "summarise"}).description(""))
      ->type_name("");
  app->add_option("FILES", arguments->files, "Chrome traces, of combine and summarise")
      ->type_name("");
  app->add_option("--out", arguments->out,
                  "Of record and combine: the file, written anew [trims-trace.json]")
      ->type_name("FILE");
  app->add_option("--for", arguments->lasting,
                  "Of record and export: end after so long, like 30s (default: until Ctrl-C)")
      ->type_name("DURATION");
  app->add_option("--model", arguments->model,
                  "Likewise: only of this model: its name, or its name and version")
      ->type_name("REF");
  app->add_option("--count", arguments->count, "Likewise: end after so many opens")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""));
  return {app, [arguments](const Context& context) { return RunTrace(context, *arguments); }};
}

}  // namespace trims::cli
