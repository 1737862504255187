// RawTerminal: a screen of its own on a terminal whose keys come one by one. The terminal is as it was before once this ends, also by
// Ctrl-C (SIGINT) or SIGTERM, which then end the process as they always do.
//
//   RawTerminal screen;
//   screen.Show(text);
//   if (screen.WaitForKey('q', seconds(1))) return;
//
// Thread-safety: none; one at a time.
#ifndef TRIMS_TOOLS_TRIMS_RAW_TERMINAL_H_
#define TRIMS_TOOLS_TRIMS_RAW_TERMINAL_H_

#include <chrono>
#include <csignal>
#include <string>

namespace trims::cli {

class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  // From the upper left corner, as many lines and columns as there are.
  void Show(const std::string& text);
  // Whether `key` was typed within that time. Where standard input is no terminal it just waits.
  bool WaitForKey(char key, std::chrono::milliseconds patience);

 private:
  struct sigaction previous_interrupt_ = {};
  struct sigaction previous_terminate_ = {};
};

// The first `lines` lines of `text`, each with its first `columns` characters (UTF-8). Pure.
std::string Cropped(const std::string& text, size_t lines, size_t columns);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_RAW_TERMINAL_H_
