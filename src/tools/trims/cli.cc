#include "tools/trims/cli.h"

#include <algorithm>
#include <exception>

#include <CLI/CLI.hpp>

#include "tools/trims/command.h"
#include "tools/trims/exit_codes.h"
#include "tools/trims/usage_error.h"

namespace trims::cli {
namespace {

constexpr const char* kFooter =
    "A daemon is started for you where none runs; --no-autostart or TRIMS_AUTOSTART=0 forbids it.\n"
    "More: man trims, trims COMMAND --help";

void AddGlobalOptions(CLI::App* app, Globals* globals) {
  app->add_flag("--json", globals->json,
                "Print JSON documents, errors included, on standard output");
  app->add_option("--socket", globals->socket,
                  "The daemon's socket (default: $TRIMS_SOCKET, else the usual places)")
      ->type_name("PATH");
  app->add_flag("--no-autostart", globals->no_autostart, "Never start a daemon");
  app->add_option("--color", globals->color, "auto: colours on a terminal; never: none")
      ->check(CLI::IsMember({"auto", "never"}).description(""))
      ->type_name("WHEN");
}

void Configure(CLI::App* app, Globals* globals) {
  app->name("trims");
  app->allow_extras();  // left-overs are judged by UnknownArgument(), which knows near names
  app->fallthrough();   // global options may follow the command
  app->require_subcommand(0, 1);
  app->set_help_flag("-h,--help", "Print this help");
  app->set_version_flag("--version", VersionLine(), "Print the version of this program");
  app->get_formatter()->column_width(26);
  app->footer(kFooter);
  AddGlobalOptions(app, globals);
}

std::vector<Command> MakeCommands(CLI::App* app) {
  std::vector<Command> commands;
  for (const auto make :
       {MakeAddCommand,       MakeLsCommand,       MakeShowCommand,    MakeRmCommand,
        MakeStatusCommand,    MakeVerifyCommand,   MakePolicyCommand,  MakePinCommand,
        MakeUnpinCommand,     MakePrefetchCommand, MakeEvictCommand,   MakeDemoteCommand,
        MakeKeepAliveCommand, MakeDrainCommand,    MakeAliasCommand,   MakeRollbackCommand,
        MakePushCommand,      MakeTopCommand,      MakeExplainCommand, MakeEventsCommand,
        MakeTraceCommand,     MakeDoctorCommand,   MakeVersionCommand, MakeCompletionCommand}) {
    commands.push_back(make(app));
    commands.back().app->footer("Global options: trims --help");
  }
  return commands;
}

// Fills in the parsed values. `help` is set where help was asked for and is all that is to be
// printed.
Status Parse(CLI::App* app, std::vector<std::string> arguments, std::string* help) {
  // "trims help add" is what some type for "trims add --help".
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  std::reverse(arguments.begin(), arguments.end());  // the order in which CLI11 takes a vector
  try {
    app->parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    *help = app->help();
    return {};
  } catch (const CLI::CallForVersion&) {
    *help = app->version() + '\n';
    return {};
  } catch (const CLI::ParseError& error) {
    return UsageError(*app, error.what());
  }
  return UnknownArgument(*app);
}

const Command* Chosen(const std::vector<Command>& commands) {
  const auto it = std::find_if(commands.begin(), commands.end(),
                               [](const Command& command) { return command.app->parsed(); });
  return it == commands.end() ? nullptr : &*it;
}

int ParseAndRun(const std::vector<std::string>& arguments, Context* context) {
  CLI::App app("trims: one copy of each model per node, shared with every process");
  Configure(&app, &context->globals);
  const std::vector<Command> commands = MakeCommands(&app);
  std::string help;
  if (const Status parsed = Parse(&app, arguments, &help); !parsed.ok()) {
    // A mistake may lie before the flag that says how to report it.
    context->globals.json = std::count(arguments.begin(), arguments.end(), "--json") > 0;
    return ReportError(*context, parsed);
  }
  if (!help.empty()) {
    context->out() << help;
    return kExitOk;
  }
  const Command* command = Chosen(commands);
  if (command == nullptr) {
    if (context->globals.json) {
      return ReportError(
          *context, Status(StatusCode::kInvalidArgument, "no command was given", "trims --help"));
    }
    context->terminal.err << app.help();
    return kExitUsage;
  }
  const Result<int> code = command->run(*context);
  return code.ok() ? *code : ReportError(*context, code.status());
}

}  // namespace

int RunTrims(const std::vector<std::string>& arguments, const Terminal& terminal) {
  Context context{.globals = {}, .terminal = terminal};
  try {
    const int code = ParseAndRun(arguments, &context);
    if (terminal.out.flush()) return code;
    context.globals.json = false;  // there is nowhere to write a document to
    return ReportError(context, Status(StatusCode::kInternal, "standard output can't be written",
                                       "is the disk full?"));
  } catch (const std::exception& error) {  // the parser's and the JSON library's own
    return ReportError(context,
                       Status(StatusCode::kInternal, std::string("a defect: ") + error.what(),
                              "please report it with the command line that caused it"));
  }
}

}  // namespace trims::cli
