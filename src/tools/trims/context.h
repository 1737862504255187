// Context: what every command of `trims` is given: the global options and the terminal it writes
// to.
#ifndef TRIMS_TOOLS_TRIMS_CONTEXT_H_
#define TRIMS_TOOLS_TRIMS_CONTEXT_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims::cli {

struct Globals {
  bool json = false;
  bool no_autostart = false;
  std::string socket;          // empty: what trims::Client::Connect finds
  std::string color = "auto";  // "auto", "never"
};

// Where a command writes. Borrowed streams.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool color_allowed = false;  // the environment (TERM, NO_COLOR) does not forbid it
  size_t columns = 80;
};

// The process's own: isatty(3), $NO_COLOR, $TERM, the window's size.
Terminal ProcessTerminal();

enum class Tint { kGood, kWarning, kBad, kStrong, kDim };

struct Context {
  Globals globals;
  const Terminal& terminal;

  std::ostream& out() const { return terminal.out; }
  // `text` in that colour if standard output (or error) is a terminal and colours are wanted, else
  // as it is.
  std::string Tinted(Tint tint, std::string_view text) const;
  std::string TintedError(Tint tint, std::string_view text) const;
  // A JSON document: as it came, or indented for a terminal.
  void PrintDocument(const std::string& document) const;
};

// "trims: error: …" and "next: …" on standard error, or with --json {"error":{…}} on standard
// output. Returns the exit code for it.
int ReportError(const Context& context, const Status& status);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_CONTEXT_H_
