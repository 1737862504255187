#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/exit_codes.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

struct EventsArguments {
  EventsOptions options;
  bool no_follow = false;
  uint64_t count = 0;  // 0: without end
};

// One object a line.
void PrintLost(const Context& context, const Json& batch) {
  const uint64_t lost = Number(batch, "lost");
  const uint64_t opens_lost = Number(batch, "opens_lost");
  if (lost == 0 && opens_lost == 0) return;
  if (context.globals.json) {
    context.out() << Json{{"lost", lost}, {"opens_lost", opens_lost}}.dump() << '\n';
  } else {
    context.terminal.err << RenderLost(lost, opens_lost);
  }
}

void PrintEvent(const Context& context, const Json& event) {
  if (context.globals.json) {
    context.out() << event.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    context.out() << RenderEvent(event);
  }
}

// How many of at most `most` were printed.
uint64_t PrintBatch(const Context& context, const Json& batch, uint64_t most) {
  uint64_t printed = 0;
  PrintLost(context, batch);
  for (const Json& event : List(batch, "events")) {
    if (printed == most) break;
    PrintEvent(context, event);
    ++printed;
  }
  return printed;
}

Result<int> RunEvents(const Context& context, EventsArguments arguments) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  EventsOptions& options = arguments.options;
  if (arguments.no_follow) {
    if (!options.since) options.since = 0;
    options.opens_since = 0;
    options.wait = std::chrono::milliseconds(0);
  } else {
    options.wait = std::chrono::seconds(30);
  }
  uint64_t left = arguments.count == 0 ? UINT64_MAX : arguments.count;
  for (;;) {
    TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Events(options));
    TRIMS_ASSIGN_OR_RETURN(const Json batch, ParseDocument(document));
    left -= PrintBatch(context, batch, left);
    const bool ended = arguments.no_follow && List(batch, "events").empty();
    if (!context.out().flush() || left == 0 || ended) return kExitOk;
    options.since = Number(batch, "next");
    options.opens_since = Number(batch, "opens_next");
  }
}

}  // namespace

Command MakeEventsCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "events", "Show what the daemon does, as it does it: loads, evictions, changes");
  auto arguments = std::make_shared<EventsArguments>();
  EventsOptions* options = &arguments->options;
  app->add_option_function<uint64_t>(
         "--since", [options](const uint64_t& since) { options->since = since; },
         "Begin with what came after this number; 0: all that is kept (default: from now on)")
      ->type_name("SEQ");
  app->add_option("--kind", options->kinds,
                  "Only these: segment, model, alias, policy, budget, pressure, drain, leases, "
                  "open, or one like "
                  "segment.evicted; again for more (default: all but open)")
      ->type_name("KIND")
      ->allow_extra_args(false)
      ->delimiter(',');
  app->add_option("--model", options->model,
                  "Only of this model: its name, or its name and version")
      ->type_name("REF");
  app->add_flag("--opens", options->opens, "Opens, too, each of them");
  app->add_flag("--no-follow", arguments->no_follow, "Print what is kept, and end");
  app->add_option("--count", arguments->count, "End after so many (default: until Ctrl-C)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""));
  return {app, [arguments](const Context& context) { return RunEvents(context, *arguments); }};
}

}  // namespace trims::cli
