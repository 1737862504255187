// OtlpExporter against an origin: batches, what passes, what is refused, what is dropped.
#include "tools/trims/otlp_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <nlohmann/json.hpp>

#include "support/free_port.h"
#include "support/http_origin.h"

namespace trims::cli {
namespace {

using Json = nlohmann::json;
using test::HttpOrigin;
using test::OriginReply;
using test::OriginRequest;
using ::testing::HasSubstr;

OtlpLimits Hasty() {
  return {.gather = std::chrono::seconds(0),
          .overall = std::chrono::seconds(20),
          .patience = {.attempts = 3,
                       .first_pause = std::chrono::milliseconds(1),
                       .longest_pause = std::chrono::milliseconds(2)}};
}

OtlpSettings To(const std::string& url) {
  return {
      .url = url + "/v1/traces", .headers = {"X-Key: k"}, .attributes = {{"service.name", "s"}}};
}

std::vector<SpanTree> Opens(int count) {
  std::vector<SpanTree> trees;
  for (int i = 0; i < count; ++i) {
    SpanTree tree{.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"};
    tree.spans.push_back({.name = "serve", .span_id = std::to_string(i)});
    trees.push_back(std::move(tree));
  }
  return trees;
}

Exported Export(const OtlpSettings& settings, const OtlpLimits& limits, int opens) {
  const auto exporter = OtlpExporter::Start(settings, limits);
  EXPECT_TRUE(exporter.ok());
  (*exporter)->Push(Opens(opens));
  return (*exporter)->Finish();
}

TEST(OtlpExporterTest, SendsInBatches) {
  const HttpOrigin origin([](const OriginRequest&) { return OriginReply{.body = "{}"}; });
  OtlpLimits limits = Hasty();
  limits.batch = 4;
  const Exported exported = Export(To(origin.url()), limits, 10);
  EXPECT_EQ(exported.sent, 10U);
  EXPECT_EQ(exported.dropped, 0U);
  size_t spans = 0;
  for (const OriginRequest& request : origin.requests()) {
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/v1/traces");
    EXPECT_EQ(request.Header("content-type"), "application/json");
    EXPECT_EQ(request.Header("x-key"), "k");
    const Json sent = Json::parse(request.body)["resourceSpans"][0]["scopeSpans"][0]["spans"];
    EXPECT_LE(sent.size(), 4U);
    spans += sent.size();
  }
  EXPECT_EQ(spans, 10U);
}

TEST(OtlpExporterTest, WhatPassesIsSentAgain) {
  const HttpOrigin origin([](const OriginRequest& request) {
    if (request.number == 0) return OriginReply{.status = 503, .headers = {"Retry-After: 0"}};
    if (request.number == 1) return OriginReply{.status = 429};
    return OriginReply{.body = "{}"};
  });
  const Exported exported = Export(To(origin.url()), Hasty(), 3);
  EXPECT_EQ(exported.sent, 3U);
  EXPECT_EQ(exported.dropped, 0U);
  EXPECT_EQ(origin.requests().size(), 3U);
}

TEST(OtlpExporterTest, WhatIsRefusedIsDroppedAndTold) {
  const HttpOrigin origin(
      [](const OriginRequest&) { return OriginReply{.status = 400, .body = "no such tenant"}; });
  const Exported exported = Export(To(origin.url()), Hasty(), 3);
  EXPECT_EQ(exported.sent, 0U);
  EXPECT_EQ(exported.dropped, 3U);
  EXPECT_THAT(exported.trouble.message(), HasSubstr("no such tenant"));
  EXPECT_EQ(origin.requests().size(), 1U);
}

TEST(OtlpExporterTest, APartialSuccessIsCounted) {
  const HttpOrigin origin([](const OriginRequest&) {
    return OriginReply{.body =
                           R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}})"};
  });
  const Exported exported = Export(To(origin.url()), Hasty(), 3);
  EXPECT_EQ(exported.sent, 1U);
  EXPECT_EQ(exported.dropped, 2U);
  EXPECT_THAT(exported.trouble.message(), HasSubstr("too old"));
}

TEST(OtlpExporterTest, ACollectorThatIsNotThereCostsTheSpansAlone) {
  const std::string url = "http://127.0.0.1:" + test::FreePort();
  const Exported exported = Export(To(url), Hasty(), 3);
  EXPECT_EQ(exported.sent, 0U);
  EXPECT_EQ(exported.dropped, 3U);
  EXPECT_EQ(exported.trouble.code(), StatusCode::kUnavailable);
}

TEST(OtlpExporterTest, ACollectorThatHangsIsLeftAtTheEnd) {
  const HttpOrigin origin(
      [](const OriginRequest&) { return OriginReply{.body = "{}", .stall_after = 0}; });
  OtlpLimits limits = Hasty();
  limits.at_end = std::chrono::milliseconds(50);
  const Exported exported = Export(To(origin.url()), limits, 3);
  EXPECT_EQ(exported.dropped, 3U);
}

TEST(OtlpExporterTest, TheQueueIsBounded) {
  const HttpOrigin origin([](const OriginRequest&) { return OriginReply{.body = "{}"}; });
  OtlpLimits limits = Hasty();
  limits.queue = 5;
  limits.gather = std::chrono::hours(1);
  const Exported exported = Export(To(origin.url()), limits, 8);
  EXPECT_EQ(exported.sent, 5U);
  EXPECT_EQ(exported.dropped, 3U);
}

TEST(OtlpExporterTest, WhatItsCallerDoesNotSampleIsPassedOver) {
  const HttpOrigin origin([](const OriginRequest&) { return OriginReply{.body = "{}"}; });
  const auto exporter = OtlpExporter::Start(To(origin.url()), Hasty());
  std::vector<SpanTree> trees = Opens(2);
  trees[0].sampled = false;
  (*exporter)->Push(std::move(trees));
  EXPECT_EQ((*exporter)->Finish().sent, 1U);
}

}  // namespace
}  // namespace trims::cli
