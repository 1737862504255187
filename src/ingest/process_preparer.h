// ProcessPreparer: the Preparer that runs `trims-prepare` as a child process (preparer.h gives its
// command line).
//
// Beyond that line it passes --memory-limit BYTES --time-limit SECONDS, which the child applies to
// itself before it touches input, and --onnxruntime-library PATH. The child has a process group of
// its own, an environment of PATH and LANG, and no descriptor but /dev/null as 0 to 2 and the pipe
// for its progress as 3. When the wall-clock limit has passed, or it says something that can't be
// understood, its whole group is killed.
//
// Thread-safety: loop only. Destroying it kills the children in flight; their callbacks do not run.
#ifndef TRIMS_INGEST_PROCESS_PREPARER_H_
#define TRIMS_INGEST_PROCESS_PREPARER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "ingest/preparer.h"
#include "loop/fd_watcher.h"
#include "loop/timer_service.h"
#include "loop/worker.h"

namespace trims {

struct ProcessPreparerOptions {
  Result<std::string> program = std::string();  // absolute path of trims-prepare, or why there is
                                                // none (FAILED_PRECONDITION)
  std::string onnxruntime_library;              // absolute; empty: not passed
  uint64_t memory_limit = uint64_t{16} << 30;
  std::chrono::seconds time_limit{std::chrono::minutes(15)};
  int max_concurrent = 2;  // further jobs wait in order
};

// All outlive the preparer.
struct ProcessPreparerDependencies {
  TimerService* timers = nullptr;
  FdWatcher* watcher = nullptr;
  Worker* worker = nullptr;  // reads and checks the manifest, and all that it names
};

std::unique_ptr<Preparer> MakeProcessPreparer(const ProcessPreparerOptions& options,
                                              const ProcessPreparerDependencies& dependencies);

}  // namespace trims

#endif  // TRIMS_INGEST_PROCESS_PREPARER_H_
