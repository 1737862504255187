#include <poll.h>

#include <chrono>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/exit_codes.h"
#include "tools/trims/raw_terminal.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

struct TopArguments {
  double interval = 1;
  uint64_t count = 0;  // 0: without end
};

// One after the other, so that rates can be said.
class Frames {
 public:
  explicit Frames(Admin* admin) : admin_(admin) {}

  Result<std::string> Next(bool json) {
    TRIMS_ASSIGN_OR_RETURN(std::string document, admin_->GetStatus());
    if (json) return document + '\n';
    TRIMS_ASSIGN_OR_RETURN(Json status, ParseDocument(document));
    std::string text = RenderTop(status, last_);
    last_ = std::move(status);
    return text;
  }

 private:
  Admin* const admin_;
  Json last_ = Json::object();
};

Result<int> ShowOnScreen(Frames* frames, const TopArguments& arguments,
                         std::chrono::milliseconds interval) {
  RawTerminal screen;
  for (uint64_t shown = 1;; ++shown) {
    TRIMS_ASSIGN_OR_RETURN(const std::string text, frames->Next(/*json=*/false));
    screen.Show(text);
    if (screen.WaitForKey('q', interval) || shown == arguments.count) return kExitOk;
  }
}

Result<int> RunTop(const Context& context, const TopArguments& arguments) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  const std::chrono::milliseconds interval(static_cast<int64_t>(arguments.interval * 1000));
  Frames frames(&admin);
  if (context.terminal.out_is_terminal && !context.globals.json)
    return ShowOnScreen(&frames, arguments, interval);
  for (uint64_t shown = 1;; ++shown) {
    TRIMS_ASSIGN_OR_RETURN(const std::string text, frames.Next(context.globals.json));
    context.out() << text;
    if (!context.out().flush() || shown == arguments.count) return kExitOk;
    if (!context.globals.json) context.out() << '\n';
    ::poll(nullptr, 0, static_cast<int>(interval.count()));
  }
}

}  // namespace

Command MakeTopCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "top", "Watch the daemon: what is resident, and how much is opened a second; q ends");
  auto arguments = std::make_shared<TopArguments>();
  app->add_option("--interval", arguments->interval, "Seconds between two looks [1]")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 3600.0).description(""));
  app->add_option("--count", arguments->count, "End after so many (default: until q or Ctrl-C)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""));
  return {app, [arguments](const Context& context) { return RunTop(context, *arguments); }};
}

}  // namespace trims::cli
