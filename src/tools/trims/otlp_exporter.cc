#include "tools/trims/otlp_exporter.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/thread.h"
#include "tools/trims/otlp_document.h"
#include "transfer/http_error.h"

namespace trims::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostAnswer = size_t{64} << 10;

Duration EpochNow(const Clock& clock) {
  return std::chrono::microseconds(UnixMicrosecondsNow()) - clock.Now().time_since_epoch();
}

size_t SpansOf(const std::vector<SpanTree>& trees) {
  size_t spans = 0;
  for (const SpanTree& tree : trees) spans += tree.spans.size();
  return spans;
}

HttpPatience PatienceOf(const OtlpSettings& settings, HttpPatience patience) {
  patience.ca_file = settings.ca_file;
  return patience;
}

// How many of a batch that was taken were not, after all: a number, or a text of one.
uint64_t RejectedOf(const std::string& body, std::string* why) {
  const Json answer = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object() || !answer.contains("partialSuccess")) return 0;
  const Json& partial = answer["partialSuccess"];
  if (!partial.is_object() || !partial.contains("rejectedSpans")) return 0;
  const Json& rejected = partial["rejectedSpans"];
  if (partial.contains("errorMessage") && partial["errorMessage"].is_string())
    *why = partial["errorMessage"];
  if (rejected.is_number_unsigned()) return rejected.get<uint64_t>();
  uint64_t count = 0;
  if (!rejected.is_string()) return 0;
  const auto& text = rejected.get_ref<const std::string&>();
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace

OtlpExporter::OtlpExporter(OtlpSettings settings, OtlpLimits limits)
    : settings_(std::move(settings)),
      limits_(std::move(limits)),
      epoch_(EpochNow(clock_)),
      http_(PatienceOf(settings_, limits_.patience)) {}

Result<std::unique_ptr<OtlpExporter>> OtlpExporter::Start(OtlpSettings settings,
                                                          OtlpLimits limits) {
  std::unique_ptr<OtlpExporter> exporter(new OtlpExporter(std::move(settings), std::move(limits)));
  TRIMS_ASSIGN_OR_RETURN(exporter->thread_,
                         StartThread([exporter = exporter.get()] { exporter->Run(); }));
  return exporter;
}

OtlpExporter::~OtlpExporter() {
  http_.Cancel();
  static_cast<void>(Finish());
}

void OtlpExporter::Push(std::vector<SpanTree> trees) {
  MutexLock lock(mutex_);
  for (SpanTree& tree : trees) {
    if (!tree.sampled) continue;
    const size_t spans = tree.spans.size();
    if (waiting_spans_ + spans > limits_.queue) {
      exported_.dropped += spans;
      exported_.trouble = Status(StatusCode::kResourceExhausted,
                                 "the collector takes spans more slowly than they come");
      continue;
    }
    waiting_spans_ += spans;
    waiting_.push_back(std::move(tree));
  }
  changed_.NotifyAll();
}

Exported OtlpExporter::Look() {
  MutexLock lock(mutex_);
  Exported exported = exported_;
  exported_.trouble = Status();
  return exported;
}

Exported OtlpExporter::Finish() {
  if (!thread_.joinable()) return Look();
  const TimePoint end = clock_.Now() + limits_.at_end;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
    while (!ended_ && changed_.WaitUntil(mutex_, end)) {
    }
  }
  http_.Cancel();
  thread_.join();
  return Look();
}

void OtlpExporter::Run() {
  for (std::vector<SpanTree> batch = NextBatch(); !batch.empty(); batch = NextBatch()) Send(batch);
  MutexLock lock(mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

std::vector<SpanTree> OtlpExporter::NextBatch() {
  MutexLock lock(mutex_);
  while (waiting_.empty() && !ending_) changed_.Wait(mutex_);
  const TimePoint full = clock_.Now() + limits_.gather;
  while (waiting_spans_ < limits_.batch && !ending_ && changed_.WaitUntil(mutex_, full)) {
  }
  std::vector<SpanTree> batch;
  size_t spans = 0;
  while (!waiting_.empty() && spans < limits_.batch) {
    spans += waiting_.front().spans.size();
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_spans_ -= spans;
  return batch;
}

void OtlpExporter::Send(const std::vector<SpanTree>& batch) {
  const uint64_t spans = SpansOf(batch);
  HttpRequest request{.method = "POST",
                      .url = settings_.url,
                      .headers = settings_.headers,
                      .body = OtlpDocument(settings_.attributes, batch, epoch_),
                      .follow_redirects = false};
  request.headers.emplace_back("Content-Type: application/json");
  const Result<HttpResponse> response = http_.Ask(
      request, {.max_body = kMostAnswer, .timeout = settings_.timeout, .overall = limits_.overall});
  if (!response.ok()) return Count(0, spans, response.status());
  if (response->status / 100 != 2) {
    return Count(0, spans, HttpError(settings_.url, response->status, response->body));
  }
  std::string why = "it gives no reason";
  const uint64_t rejected = std::min(RejectedOf(response->body, &why), spans);
  Count(spans - rejected, rejected,
        rejected == 0
            ? Status()
            : Status(StatusCode::kInvalidArgument, "the collector refused spans: " + why));
}

void OtlpExporter::Count(uint64_t sent, uint64_t dropped, Status trouble) {
  MutexLock lock(mutex_);
  exported_.sent += sent;
  exported_.dropped += dropped;
  if (!trouble.ok()) exported_.trouble = std::move(trouble);
}

}  // namespace trims::cli
