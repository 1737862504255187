// OtlpExporter: sends spans to a collector, from a thread of its own.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto exporter, OtlpExporter::Start(settings, {}));
//   exporter->Push(std::move(trees));        // never waits
//   const Exported exported = exporter->Finish();
//
// What a slow or dead collector doesn't take waits in a bounded queue; what comes when that is full is dropped, and counted. A batch
// that passes (no connection, 429, 503, …) is sent again, as the collector says or after growing, scattered pauses (HttpClient); one
// that is refused, or has been sent too often, is dropped, and counted. Thread-safety: of one thread.
#ifndef TRIMS_TOOLS_TRIMS_OTLP_EXPORTER_H_
#define TRIMS_TOOLS_TRIMS_OTLP_EXPORTER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "trims/status.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "tools/trims/otlp_settings.h"
#include "trace/event_spans.h"
#include "transfer/http_client.h"

namespace trims::cli {

struct OtlpLimits {
  size_t queue = 16'384;                        // spans that wait
  size_t batch = 512;                           // spans in one request, about
  Duration gather = std::chrono::seconds(1);    // how long the first of a batch waits for others
  Duration overall = std::chrono::seconds(60);  // for a batch, with all attempts
  Duration at_end = std::chrono::seconds(5);    // for what still waits
  HttpPatience patience = {};
};

// Spans.
struct Exported {
  uint64_t sent = 0;
  uint64_t dropped = 0;
  Status trouble;  // why the last were dropped; OK: since the last call none were
};

class OtlpExporter {
 public:
  // RESOURCE_EXHAUSTED: no thread.
  static Result<std::unique_ptr<OtlpExporter>> Start(OtlpSettings settings, OtlpLimits limits);
  ~OtlpExporter();
  OtlpExporter(const OtlpExporter&) = delete;
  OtlpExporter& operator=(const OtlpExporter&) = delete;

  // Those that their callers don't sample are passed over.
  void Push(std::vector<SpanTree> trees);
  Exported Look();
  // Sends what waits, for `at_end` at most; what is left is dropped.
  Exported Finish();

 private:
  OtlpExporter(OtlpSettings settings, OtlpLimits limits);

  void Run();
  // Waits for spans and for others beside them. None: it is to end.
  std::vector<SpanTree> NextBatch();
  void Send(const std::vector<SpanTree>& batch);
  void Count(uint64_t sent, uint64_t dropped, Status trouble);

  const OtlpSettings settings_;
  const OtlpLimits limits_;
  const SteadyClock clock_;
  const Duration epoch_;
  HttpClient http_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<SpanTree> waiting_ TRIMS_GUARDED_BY(mutex_);
  size_t waiting_spans_ TRIMS_GUARDED_BY(mutex_) = 0;
  bool ending_ TRIMS_GUARDED_BY(mutex_) = false;
  bool ended_ TRIMS_GUARDED_BY(mutex_) = false;
  Exported exported_ TRIMS_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_OTLP_EXPORTER_H_
