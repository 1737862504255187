#include "tools/trims/otlp_document.h"

#include <nlohmann/json.hpp>

namespace trims::cli {
namespace {

using Json = nlohmann::json;

constexpr int kInternal = 1;  // SPAN_KIND_…
constexpr int kServer = 2;
constexpr int kFailed = 2;  // STATUS_CODE_ERROR

Json ValueOf(const Json& value) {
  if (value.is_boolean()) return {{"boolValue", value}};
  if (value.is_number_integer()) return {{"intValue", value.dump()}};
  if (value.is_number()) return {{"doubleValue", value}};
  return {{"stringValue", value.is_string() ? value : Json(value.dump())}};
}

Json AttributesOf(const Json& args) {
  Json attributes = Json::array();
  for (const auto& [name, value] : args.items()) {
    if (name == "trace_id") continue;
    attributes.push_back({{"key", "trims." + name}, {"value", ValueOf(value)}});
  }
  return attributes;
}

std::string Nanoseconds(Duration since_epoch) { return std::to_string(since_epoch.count()); }

Json SpanJson(const SpanTree& tree, const Span& span, Duration epoch) {
  const Duration begin = epoch + span.begin;
  Json json = {{"traceId", tree.trace_id},
               {"spanId", span.span_id},
               {"name", span.name},
               {"kind", span.name == "serve" ? kServer : kInternal},
               {"startTimeUnixNano", Nanoseconds(begin)},
               {"endTimeUnixNano", Nanoseconds(begin + span.took)},
               {"attributes", AttributesOf(span.args)}};
  if (!span.parent_id.empty()) json["parentSpanId"] = span.parent_id;
  if (!span.error.empty()) json["status"] = {{"code", kFailed}, {"message", span.error}};
  const bool linked = !tree.linked_span.empty() && &span == &tree.spans.front();
  if (linked) {
    json["links"] = Json::array({{{"traceId", tree.linked_trace}, {"spanId", tree.linked_span}}});
  }
  return json;
}

}  // namespace

std::string OtlpDocument(const std::map<std::string, std::string>& resource,
                         std::span<const SpanTree> trees, Duration epoch) {
  Json attributes = Json::array();
  for (const auto& [key, value] : resource) {
    attributes.push_back({{"key", key}, {"value", {{"stringValue", value}}}});
  }
  Json spans = Json::array();
  for (const SpanTree& tree : trees) {
    for (const Span& span : tree.spans) spans.push_back(SpanJson(tree, span, epoch));
  }
  const Json scope = {{"scope", {{"name", "trims"}, {"version", TRIMS_VERSION}}},
                      {"spans", std::move(spans)}};
  const Json document = {
      {"resourceSpans", Json::array({{{"resource", {{"attributes", std::move(attributes)}}},
                                      {"scopeSpans", Json::array({scope})}}})}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace trims::cli
