#include "tools/trims/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/byte_rate.h"
#include "tools/trims/humanise.h"

namespace trims::cli {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr size_t kBarWidth = 24;
constexpr uint64_t kFewestBytes = 4096;
constexpr Duration kRedrawEvery = std::chrono::milliseconds(100);
constexpr Duration kFirstRateAfter = std::chrono::milliseconds(200);
constexpr Duration kSettling = std::chrono::milliseconds(200);

// Async-signal-safe. The disposition is back to the default by then (SA_RESETHAND), so that raising
// ends the process the way a shell expects of Ctrl-C.
extern "C" void ClearAndLeave(int signal) {
  constexpr char kText[] = "\r\x1b[Ktrims: interrupted\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kText, sizeof(kText) - 1);
  raise(signal);
}

// "  410 MiB/s  1 s left", as far as that can be said.
std::string Pace(const Progress& progress, const InStage& in_stage) {
  if (in_stage.time < kFirstRateAfter || progress.done <= in_stage.began_with) return "";
  const uint64_t rate = BytesPerSecond(progress.done - in_stage.began_with, in_stage.time);
  std::string text = "  " + HumanRate(rate);
  if (progress.done >= progress.total) return text;
  if (const auto left = RemainingTime(progress.total - progress.done, rate)) {
    text += "  " + HumanDuration(std::chrono::ceil<std::chrono::seconds>(*left)) + " left";
  }
  return text;
}

std::string Amount(const Progress& progress, const InStage& in_stage) {
  if (progress.total < kFewestBytes) return fmt::format("{} of {}", progress.done, progress.total);
  return fmt::format("{} of {}{}", HumanBytes(progress.done), HumanBytes(progress.total),
                     Pace(progress, in_stage));
}

}  // namespace

std::string ProgressLine(const Progress& progress, const InStage& in_stage, size_t columns) {
  const std::string stage = Printable(progress.stage);
  std::string line;
  if (progress.total <= 1) {
    line = stage + " ...";
  } else {
    line = fmt::format("{:<9} {} {:>5}  {}", stage, Bar(progress.done, progress.total, kBarWidth),
                       Percent(progress.done, progress.total), Amount(progress, in_stage));
  }
  // A line that wraps can't be rewritten in place.
  return line.substr(0, columns > 1 ? columns - 1 : 0);
}

ProgressBar::ProgressBar(const Terminal& terminal, const Clock& clock)
    : terminal_(terminal),
      clock_(clock),
      stage_started_(clock.Now()),
      measured_from_(clock.Now()),
      drawn_(clock.Now()) {
  if (!terminal_.err_is_terminal) return;
  struct sigaction action = {};
  action.sa_handler = ClearAndLeave;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  sigaction(SIGINT, &action, &previous_interrupt_);
}

ProgressBar::~ProgressBar() {
  if (!terminal_.err_is_terminal) return;
  Clear();
  sigaction(SIGINT, &previous_interrupt_, nullptr);
}

void ProgressBar::Update(const Progress& progress) {
  if (!terminal_.err_is_terminal) return;
  const TimePoint now = clock_.Now();
  const bool new_stage = progress.stage != stage_ || !visible_;
  if (new_stage) {
    stage_ = progress.stage;
    stage_started_ = now;
  }
  // What is found of an earlier attempt is told first, file by file.
  if (now - stage_started_ < kSettling) {
    measured_from_ = now;
    began_with_ = progress.done;
  }
  const bool ended = progress.total > 0 && progress.done >= progress.total;
  if (!new_stage && !ended && now - drawn_ < kRedrawEvery) return;
  drawn_ = now;
  visible_ = true;
  const InStage in_stage{.time = now - measured_from_, .began_with = began_with_};
  terminal_.err << kClearLine << ProgressLine(progress, in_stage, terminal_.columns) << std::flush;
}

void ProgressBar::Clear() {
  if (visible_) terminal_.err << kClearLine << std::flush;
  visible_ = false;
}

}  // namespace trims::cli
