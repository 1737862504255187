#include "tools/trims/otlp_document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trims::cli {
namespace {

using Json = nlohmann::json;
using std::chrono::microseconds;
using std::chrono::seconds;

TEST(OtlpDocumentTest, HasTheNamesAndFormsOfOtlp) {
  SpanTree tree{.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
                .linked_trace = "aaf92f3577b34da6a3ce929d0e0e4736",
                .linked_span = "1111111111111111"};
  tree.spans.push_back({.name = "serve",
                        .begin = microseconds(5),
                        .took = microseconds(10),
                        .span_id = "00f067aa0ba902b7",
                        .parent_id = "00f067aa0ba902b8",
                        .args = {{"model", "ocr"}, {"bytes", 17}, {"trace_id", "left out"}},
                        .error = "NOT_FOUND: no"});
  tree.spans.push_back(
      {.name = "resolve", .begin = microseconds(5), .took = microseconds(1), .span_id = "22"});
  const Json document = Json::parse(OtlpDocument({{"service.name", "s"}}, {&tree, 1}, seconds(2)));
  const Json& resource = document["resourceSpans"][0];
  EXPECT_EQ(resource["resource"]["attributes"],
            Json::parse(R"([{"key": "service.name", "value": {"stringValue": "s"}}])"));
  EXPECT_EQ(resource["scopeSpans"][0]["scope"]["name"], "trims");
  const Json& spans = resource["scopeSpans"][0]["spans"];
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0], Json::parse(R"({
      "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "parentSpanId": "00f067aa0ba902b8",
      "name": "serve", "kind": 2, "startTimeUnixNano": "2000005000", "endTimeUnixNano": "2000015000",
      "attributes": [{"key": "trims.bytes", "value": {"intValue": "17"}}, {"key": "trims.model", "value": {"stringValue": "ocr"}}],
      "links": [{"traceId": "aaf92f3577b34da6a3ce929d0e0e4736", "spanId": "1111111111111111"}],
      "status": {"code": 2, "message": "NOT_FOUND: no"}})"));
  EXPECT_EQ(spans[1]["kind"], 1);
  EXPECT_FALSE(spans[1].contains("links"));
  EXPECT_FALSE(spans[1].contains("status"));
}

}  // namespace
}  // namespace trims::cli
