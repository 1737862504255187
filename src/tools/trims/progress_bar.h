// ProgressBar: what goes on during a long request, on one line of the terminal that is rewritten in
// place.
//
//   ProgressBar bar(terminal, clock);
//   options.on_progress = [&](const Progress& progress) { bar.Update(progress); };
//   … bar.Clear();                        // also done by the destructor
//
// Writes nothing where standard error is no terminal. While one lives, Ctrl-C first clears its
// line. Thread-safety: none.
#ifndef TRIMS_TOOLS_TRIMS_PROGRESS_BAR_H_
#define TRIMS_TOOLS_TRIMS_PROGRESS_BAR_H_

#include <csignal>
#include <cstdint>
#include <string>

#include "trims/admin.h"

#include "base/clock.h"
#include "tools/trims/context.h"

namespace trims::cli {

// How long a stage has been measured, and how much was done when that began: what an earlier attempt
// has brought came at no rate of this one's.
struct InStage {
  Duration time{0};
  uint64_t began_with = 0;
};

// "read      [######.......]  42 %  21.0 MiB of 50.0 MiB  410 MiB/s  1 s left", at most `columns`
// wide. Steps that are not bytes (a total below 4096) read "2 of 3"; a stage of one step or of an
// unknown number reads "optimise ...". Pure.
std::string ProgressLine(const Progress& progress, const InStage& in_stage, size_t columns);

class ProgressBar {
 public:
  ProgressBar(const Terminal& terminal, const Clock& clock);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws at most ten times a second, and whenever the stage changes or ends.
  void Update(const Progress& progress);
  void Clear();

 private:
  const Terminal& terminal_;
  const Clock& clock_;
  std::string stage_;
  TimePoint stage_started_;
  TimePoint measured_from_;
  uint64_t began_with_ = 0;
  TimePoint drawn_;
  bool visible_ = false;
  struct sigaction previous_interrupt_ = {};
};

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_PROGRESS_BAR_H_
