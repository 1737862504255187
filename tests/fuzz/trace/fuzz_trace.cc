// Any bytes as a trace: it is read, cut off or refused; what it has is summed up, and its elements are taken for events of the daemon,
// whose spans are written as a trace again, which is one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "trace/chrome_tracks.h"
#include "trace/event_spans.h"
#include "trace/trace_reader.h"
#include "trace/trace_summary.h"

namespace {

using trims::Status;

void Require(bool holds) {
  if (!holds) std::abort();
}

void ReadAgain(const std::vector<std::string>& events) {
  for (const std::string& event : events) Require(nlohmann::json::accept(event));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::unique_ptr<trims::TraceSource> source = trims::TraceSource::Of(text);
  trims::TraceSummary summary;
  trims::EventSpans spans(1);
  trims::ChromeTracks tracks;
  uint64_t events = 0;
  const auto read = trims::ReadTrace(source.get(), "t", [&](const nlohmann::json& event) {
    ++events;
    summary.Add(event);
    ReadAgain(tracks.Text(spans.Take(event)));
    return Status();
  });
  ReadAgain(tracks.Text(spans.End()));
  if (read.ok()) Require(read->events == events);
  static_cast<void>(summary.Document());
  return 0;
}
