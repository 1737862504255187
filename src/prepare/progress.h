// PrepareProgress: what the preparer tells whoever waits for it.
//
// The JSON lines of ingest/preparer.h, or a line on a terminal. Reports are thinned out here, so
// callers report as often as they like. Thread-safety: one thread.
#ifndef TRIMS_PREPARE_PROGRESS_H_
#define TRIMS_PREPARE_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

class PrepareProgress {
 public:
  virtual ~PrepareProgress() = default;
  void Report(std::string_view stage, uint64_t done, uint64_t total);
  virtual void Fail(const Status& status) = 0;

 private:
  virtual void Write(std::string_view stage, uint64_t done, uint64_t total) = 0;

  std::string stage_;
  uint64_t next_ = 0;  // the `done` from which on the next report of this stage is passed on
};

inline constexpr size_t kMaxProgressLine = 4096;  // bytes, as ingest/preparer.h promises

// JSON lines of at most so many bytes on a borrowed descriptor.
std::unique_ptr<PrepareProgress> MakeJsonProgress(int fd);
// For people, on standard error; a bar that redraws itself where that is a terminal.
std::unique_ptr<PrepareProgress> MakeTerminalProgress();

}  // namespace trims

#endif  // TRIMS_PREPARE_PROGRESS_H_
