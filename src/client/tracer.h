// Tracer: the Chrome trace that this process leaves where TRIMS_TRACE names a folder.
//
//   Tracer* const tracer = Tracer::OfProcess();   // nullptr: nobody asked for one
//   if (tracer != nullptr) tracer->Record({&span, 1});
//
// The environment is read once. What can't be written is not, and nobody is told: tracing is not to break a function.
// Ownership: never destroyed, as spans may come after main. Thread-safety: safe. A child after fork() begins a file of its own,
// and takes no lock that a thread of its parent's may have held.
#ifndef TRIMS_CLIENT_TRACER_H_
#define TRIMS_CLIENT_TRACER_H_

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "trims/status.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "trace/chrome_text.h"
#include "trace/trace_file.h"

namespace trims::client {

class Tracer {
 public:
  static constexpr uint64_t kMostBytes = uint64_t{64} << 20;

  // `folder` is made if it is not there.
  explicit Tracer(std::string folder) : folder_(std::move(folder)) {}
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  static Tracer* OfProcess();

  // Fills in process and thread.
  void Record(std::span<ChromeSpan> spans);
  // One that no other process has, nor this one before; not 0.
  uint64_t NewId();

 private:
  // Of one process. A child leaves its parent's alone.
  struct Output {
    pid_t pid = 0;
    uint64_t seed = 0;
    std::atomic<uint64_t> ids{0};  // that were made of it
    Mutex mutex;
    std::optional<TraceFile> file TRIMS_GUARDED_BY(mutex);  // none: it can't be written any more
  };

  Output* OutputOfProcess();
  std::unique_ptr<Output> MakeOutput() const;
  Result<TraceFile> CreateFile(pid_t pid) const;

  const std::string folder_;
  std::atomic<Output*> output_{nullptr};
};

}  // namespace trims::client

#endif  // TRIMS_CLIENT_TRACER_H_
