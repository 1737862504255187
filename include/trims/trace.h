// Traces: spans of what this process does, in a Chrome trace of its own, beside those that libtrims leaves of each open.
//
//     {
//       const trims::TraceSpan span("compute");
//       Compute(model);
//     }
//     // TRIMS_TRACE=/tmp/traces ./function   →   /tmp/traces/function-<pid>-….json
//
// Nothing is done, and next to nothing paid, where the environment does not name a folder (TRIMS_TRACE), which is looked at
// once. The file is a whole Chrome trace at each moment: a process that crashes leaves all it did before. One that can't be
// written, or has 64 MiB, is silently no more written to. docs/traces.md has the spans.
//
// Thread-safety: safe. After fork() the child has a file of its own.
#ifndef TRIMS_TRACE_H_
#define TRIMS_TRACE_H_

#include <chrono>
#include <string>
#include <string_view>

#include "trims/export.h"

namespace trims {

// Whether spans are written.
TRIMS_EXPORT bool TraceEnabled();

// One that has ended, on the calling thread's track.
TRIMS_EXPORT void RecordTraceSpan(std::string_view name,
                                  std::chrono::steady_clock::time_point begin,
                                  std::chrono::steady_clock::time_point end);

// From its making to its end, on one thread.
class TraceSpan {
 public:
  explicit TraceSpan(std::string_view name) {
    if (!TraceEnabled()) return;
    name_ = name;
    begin_ = std::chrono::steady_clock::now();
  }
  ~TraceSpan() {
    if (!name_.empty()) RecordTraceSpan(name_, begin_, std::chrono::steady_clock::now());
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

 private:
  std::string name_;  // empty: not written
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace trims

#endif  // TRIMS_TRACE_H_
