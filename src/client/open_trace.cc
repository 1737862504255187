#include "client/open_trace.h"

#include <utility>

#include "base/traceparent.h"

namespace trims::client {
namespace {

constexpr std::string_view kCategory = "trims.client";

std::string NewTraceparent(Tracer* tracer) {
  return FormatTraceparent({.trace_id = SpanIdText(tracer->NewId()) + SpanIdText(tracer->NewId()),
                            .span_id = SpanIdText(tracer->NewId())});
}

Duration Now() { return SteadyClock().Now().time_since_epoch(); }

std::string Flag(bool value) { return value ? "true" : "false"; }

}  // namespace

OpenTrace::OpenTrace(std::string_view reference, std::string given)
    : tracer_(Tracer::OfProcess()), traceparent_(std::move(given)) {
  if (tracer_ == nullptr) return;
  if (traceparent_.empty()) traceparent_ = NewTraceparent(tracer_);
  constexpr std::array<const char*, 3> kNames = {"open", "request", "attach"};
  for (size_t i = 0; i < parts_.size(); ++i) {
    parts_[i].name = kNames[i];
    parts_[i].category = kCategory;
  }
  parts_[kOpen].args = {
      {"model", JsonString(reference)},
      {"trace_id", JsonString(std::string_view(traceparent_).substr(3, kTraceIdDigits))}};
  parts_[kOpen].begin = parts_[kRequest].begin = Now();
}

void OpenTrace::Replied() {
  if (tracer_ == nullptr) return;
  parts_[kAttach].begin = Now();
  parts_[kRequest].took = parts_[kAttach].begin - parts_[kRequest].begin;
}

void OpenTrace::Describe(const OpenInfo& info, uint64_t bytes) {
  std::vector<ChromeArg>& args = parts_[kOpen].args;
  args[0].json = JsonString(info.reference);
  args.push_back({"variant", JsonString(VariantName(info.variant))});
  args.push_back({"tier", JsonString(info.tier)});
  args.push_back({"bytes", std::to_string(bytes)});
  args.push_back({"hit", Flag(info.hit)});
  args.push_back({"waited_us", std::to_string(info.waited.count())});
}

Result<Model> OpenTrace::Ended(Result<Model> opened) {
  if (tracer_ == nullptr) return opened;
  const Duration now = Now();
  const bool replied = parts_[kAttach].begin.count() != 0;
  Part last = replied ? kAttach : kRequest;
  parts_[last].took = now - parts_[last].begin;
  parts_[kOpen].took = now - parts_[kOpen].begin;
  if (opened.ok()) {
    Describe(opened->info(), opened->bytes().size());
  } else {
    parts_[kOpen].args.push_back({"error", JsonString(opened.status().ToString())});
  }
  tracer_->Record(std::span(parts_).first(replied ? 3 : 2));
  return opened;
}

void RecordSince(Tracer* tracer, const char* name, TimePoint begin, std::vector<ChromeArg> args) {
  ChromeSpan span{.name = name,
                  .category = kCategory,
                  .begin = begin.time_since_epoch(),
                  .took = SteadyClock().Now() - begin,
                  .args = std::move(args)};
  tracer->Record({&span, 1});
}

}  // namespace trims::client
