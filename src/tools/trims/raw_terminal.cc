#include "tools/trims/raw_terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "base/sys.h"

namespace trims::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // another screen, no cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

termios before;
bool has_keys = false;

void WriteOut(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
}

// Async-signal-safe.
void Restore() {
  WriteOut(kLeave);
  if (has_keys) ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

// The disposition is the default's again by then (SA_RESETHAND).
extern "C" void RestoreAndLeave(int signal) {
  Restore();
  ::raise(signal);
}

void Catch(int signal, struct sigaction* previous) {
  struct sigaction action = {};
  action.sa_handler = RestoreAndLeave;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  ::sigaction(signal, &action, previous);
}

// Of one line.
std::string Columns(const std::string& line, size_t columns) {
  size_t shown = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool begins = (line[i] & 0xc0) != 0x80;
    if (begins && shown++ == columns) return line.substr(0, i);
  }
  return line;
}

}  // namespace

std::string Cropped(const std::string& text, size_t lines, size_t columns) {
  std::istringstream all(text);
  std::string cropped;
  std::string line;
  for (size_t i = 0; i < lines && std::getline(all, line); ++i) {
    cropped += Columns(line, columns) + '\n';
  }
  return cropped;
}

RawTerminal::RawTerminal() {
  has_keys = ::tcgetattr(STDIN_FILENO, &before) == 0;
  Catch(SIGINT, &previous_interrupt_);
  Catch(SIGTERM, &previous_terminate_);
  if (has_keys) {
    termios raw = before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C stays a signal
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  WriteOut(kEnter);
}

RawTerminal::~RawTerminal() {
  Restore();
  ::sigaction(SIGINT, &previous_interrupt_, nullptr);
  ::sigaction(SIGTERM, &previous_terminate_, nullptr);
}

void RawTerminal::Show(const std::string& text) {
  winsize window = {};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 1;
  const std::string cropped =
      Cropped(text, known ? window.ws_row - 1U : 23, known ? window.ws_col : 80);
  std::string screen(kHome);
  for (const char c : cropped)
    screen += c == '\n' ? std::string(kClearLine) + '\n' : std::string(1, c);
  WriteOut(screen + std::string(kClearBelow));
}

bool RawTerminal::WaitForKey(char key, std::chrono::milliseconds patience) {
  const Clock::time_point end = Clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waited{.fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, static_cast<int>(left)) <= 0) continue;
    char typed = 0;
    const ssize_t got = sys::Read(STDIN_FILENO, &typed, 1);
    if (got <= 0) has_keys = false;  // its end: nothing more is typed
    if (got == 1 && typed == key) return true;
  }
}

}  // namespace trims::cli
