#include "tools/trims/context.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include <nlohmann/json.hpp>

#include "tools/trims/exit_codes.h"
#include "tools/trims/humanise.h"

namespace trims::cli {
namespace {

size_t WindowColumns() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool EnvironmentAllowsColor() {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

std::string_view Code(Tint tint) {
  switch (tint) {
    case Tint::kGood:
      return "\x1b[32m";
    case Tint::kWarning:
      return "\x1b[33m";
    case Tint::kBad:
      return "\x1b[31m";
    case Tint::kStrong:
      return "\x1b[1m";
    case Tint::kDim:
      return "\x1b[2m";
  }
  return "";
}

std::string Painted(bool wanted, Tint tint, std::string_view text) {
  if (!wanted) return std::string(text);
  return std::string(Code(tint)) + std::string(text) + "\x1b[0m";
}

}  // namespace

Terminal ProcessTerminal() {
  return {.out = std::cout,
          .err = std::cerr,
          .out_is_terminal = isatty(STDOUT_FILENO) == 1,
          .err_is_terminal = isatty(STDERR_FILENO) == 1,
          .color_allowed = EnvironmentAllowsColor(),
          .columns = WindowColumns()};
}

std::string Context::Tinted(Tint tint, std::string_view text) const {
  return Painted(terminal.out_is_terminal && terminal.color_allowed && globals.color != "never",
                 tint, text);
}

std::string Context::TintedError(Tint tint, std::string_view text) const {
  return Painted(terminal.err_is_terminal && terminal.color_allowed && globals.color != "never",
                 tint, text);
}

void Context::PrintDocument(const std::string& document) const {
  const auto json = nlohmann::ordered_json::parse(document, nullptr, /*allow_exceptions=*/false);
  if (!terminal.out_is_terminal || json.is_discarded()) {
    out() << document << (document.ends_with('\n') ? "" : "\n");
    return;
  }
  out() << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

int ReportError(const Context& context, const Status& status) {
  if (context.globals.json) {
    const nlohmann::ordered_json error = {{"error",
                                           {{"code", StatusCodeName(status.code())},
                                            {"message", status.message()},
                                            {"hint", status.hint()}}}};
    context.PrintDocument(
        error.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return ExitCodeFor(status.code());
  }
  context.terminal.err << context.TintedError(Tint::kBad, "trims: error:") << ' '
                       << Printable(status.message()) << '\n';
  if (!status.hint().empty()) context.terminal.err << "next: " << Printable(status.hint()) << '\n';
  return ExitCodeFor(status.code());
}

}  // namespace trims::cli
