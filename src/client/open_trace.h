// OpenTrace: the spans that one open leaves in this process's trace: the open, and within it the request and the attach.
//
//   OpenTrace trace(reference, parent);
//   Ask({.traceparent = trace.traceparent()});
//   trace.Replied();
//   return trace.Ended(Attach());
//
// Without a tracer all of it does nothing, and the traceparent is what was given. Thread-safety: one thread.
#ifndef TRIMS_CLIENT_OPEN_TRACE_H_
#define TRIMS_CLIENT_OPEN_TRACE_H_

#include <array>
#include <string>
#include <string_view>

#include "trims/model.h"
#include "trims/status.h"

#include "client/tracer.h"

namespace trims::client {

class OpenTrace {
 public:
  // `given`: whose span the open is a part of; empty: nobody's, so that a trace of its own begins, if there is a tracer.
  OpenTrace(std::string_view reference, std::string given);

  const std::string& traceparent() const { return traceparent_; }
  void Replied();
  Result<Model> Ended(Result<Model> opened);

 private:
  enum Part { kOpen, kRequest, kAttach };

  void Describe(const OpenInfo& info, uint64_t bytes);

  Tracer* const tracer_;
  std::string traceparent_;
  std::array<ChromeSpan, 3> parts_;
};

// One that began at `begin` and ends now.
void RecordSince(Tracer* tracer, const char* name, TimePoint begin,
                 std::vector<ChromeArg> args = {});

}  // namespace trims::client

#endif  // TRIMS_CLIENT_OPEN_TRACE_H_
