#include "trims/trace.h"

#include "client/tracer.h"

namespace trims {

bool TraceEnabled() { return client::Tracer::OfProcess() != nullptr; }

void RecordTraceSpan(std::string_view name, std::chrono::steady_clock::time_point begin,
                     std::chrono::steady_clock::time_point end) {
  client::Tracer* const tracer = client::Tracer::OfProcess();
  if (tracer == nullptr) return;
  ChromeSpan span{.name = std::string(name),
                  .category = "trims.function",
                  .begin = begin.time_since_epoch(),
                  .took = end - begin};
  tracer->Record({&span, 1});
}

}  // namespace trims
