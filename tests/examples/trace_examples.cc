// The examples of what traces are made with: include/trims/trace.h, and of src/base/ and src/client/.
#include <string>

#include "trims/trace.h"

#include "base/macros.h"
#include "base/traceparent.h"
#include "client/open_trace.h"
#include "client/tracer.h"

namespace trims {
namespace {

void Compute(const Model&) {}

void TraceSpanExample(const Model& model) {
  // example: include/trims/trace.h
  {
    const trims::TraceSpan span("compute");
    Compute(model);
  }
  // end
}

Status TraceparentExample(const std::string& text) {
  // example: src/base/traceparent.h
  TRIMS_ASSIGN_OR_RETURN(const Traceparent parent, ParseTraceparent(text));
  parent.trace_id;  // "4bf92f3577b34da6a3ce929d0e0e4736"
  // end
  return Status();
}

void TracerExample(ChromeSpan span) {
  using client::Tracer;
  // example: src/client/tracer.h
  Tracer* const tracer = Tracer::OfProcess();  // nullptr: nobody asked for one
  if (tracer != nullptr) tracer->Record({&span, 1});
  // end
}

struct Asked {
  std::string traceparent;
};
void Ask(const Asked&) {}
Result<Model> Attach() { return Status(StatusCode::kNotFound, "no model"); }

Result<Model> OpenTraceExample(const std::string& reference, const std::string& parent) {
  using client::OpenTrace;
  // example: src/client/open_trace.h
  OpenTrace trace(reference, parent);
  Ask({.traceparent = trace.traceparent()});
  trace.Replied();
  return trace.Ended(Attach());
  // end
}

}  // namespace
}  // namespace trims
