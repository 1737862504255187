#include "trace/event_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace trims {
namespace {

using Json = nlohmann::json;
using std::chrono::microseconds;

constexpr const char* kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

Json Resident(const char* tier, int load, int64_t began, int64_t queued, int64_t took) {
  return {{"kind", "segment.resident"},
          {"sequence", 1795799159360469 + load},
          {"model", "default/ocr:1"},
          {"variant", "files"},
          {"tier", tier},
          {"bytes", 4096},
          {"began_us", began},
          {"queued_us", queued},
          {"took_us", took},
          {"bytes_per_second", 1000},
          {"hashing_us", 5},
          {"load", load}};
}

Json Open(const char* end, const char* tier, int load, int64_t began) {
  return {{"kind", std::string("open.") + end},
          {"sequence", uint64_t{1795799159360469} + static_cast<uint64_t>(began)},
          {"model", "default/ocr:1"},
          {"variant", "files"},
          {"tier", tier},
          {"began_us", began},
          {"queued_us", 10},
          {"ready_us", 80},
          {"took_us", 100},
          {"load", load},
          {"client", "ocr"},
          {"uid", 7},
          {"pid", 17}};
}

std::vector<std::string> NamesOf(const SpanTree& tree) {
  std::vector<std::string> names;
  for (const Span& span : tree.spans) names.push_back(span.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(EventSpansTest, AnOpenIsWhatItWaitedFor) {
  EventSpans spans(1);
  const std::vector<SpanTree> trees = spans.Take(Open("joined", "host", 3, 1000));
  ASSERT_EQ(trees.size(), 1U);
  const SpanTree& open = trees[0];
  EXPECT_EQ(NamesOf(open), (Names{"serve", "resolve", "wait", "answer"}));
  EXPECT_EQ(open.pid, 17);
  EXPECT_EQ(open.client, "ocr");
  EXPECT_EQ(open.trace_id.size(), 32U);
  EXPECT_EQ(open.spans[0].begin, microseconds(1000));
  EXPECT_EQ(open.spans[0].took, microseconds(100));
  EXPECT_EQ(open.spans[0].args["outcome"], "joined");
  EXPECT_EQ(open.spans[0].args["load"], "host:3");
  microseconds end(1000);
  std::set<std::string> ids = {open.spans[0].span_id};
  for (size_t i = 1; i < open.spans.size(); ++i) {
    EXPECT_EQ(open.spans[i].begin, end) << "one after the other";
    EXPECT_EQ(open.spans[i].parent_id, open.spans[0].span_id);
    EXPECT_TRUE(ids.insert(open.spans[i].span_id).second);
    end += open.spans[i].took;
  }
  EXPECT_EQ(end, microseconds(1100));
}

TEST(EventSpansTest, AHitDoesNotWait) {
  EventSpans spans(1);
  Json hit = Open("hit", "host", 3, 1000);
  hit["ready_us"] = 10;
  EXPECT_EQ(NamesOf(spans.Take(hit)[0]), (Names{"serve", "resolve", "answer"}));
}

TEST(EventSpansTest, ALoadBelongsToTheOpenThatBeganIt) {
  EventSpans spans(1);
  EXPECT_TRUE(spans.Take(Resident("host", 3, 900, 20, 50)).empty());
  Json device = Resident("device:0", 1, 890, 0, 85);
  device["load_beneath"] = 3;
  EXPECT_TRUE(spans.Take(device).empty());
  Json miss = Open("miss", "device:0", 1, 880);
  miss["traceparent"] = kParent;
  const std::vector<SpanTree> trees = spans.Take(miss);
  ASSERT_EQ(trees.size(), 3U);
  EXPECT_EQ(trees[0].spans[0].parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(NamesOf(trees[1]), (Names{"load", "transfer"}));
  EXPECT_EQ(NamesOf(trees[2]), (Names{"load", "queue", "transfer"}));
  EXPECT_EQ(trees[1].tier, "device:0");
  EXPECT_EQ(trees[2].tier, "host");
  for (const SpanTree& tree : trees) EXPECT_EQ(tree.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trees[2].spans[0].parent_id, trees[0].spans[0].span_id);
  EXPECT_EQ(trees[2].spans[2].args["hashing_us"], 5);
  EXPECT_EQ(trees[2].spans[2].begin, microseconds(920));
  // Who joined it is linked to it.
  const std::vector<SpanTree> joined = spans.Take(Open("joined", "device:0", 1, 885));
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_EQ(joined[0].linked_span, trees[1].spans[0].span_id);
  EXPECT_EQ(joined[0].linked_trace, trees[1].trace_id);
  EXPECT_TRUE(spans.End().empty());
}

// The last bytes may be on a device before the host's memory is complete.
TEST(EventSpansTest, ALoadBeneathThatEndsLaterIsAwaited) {
  EventSpans spans(1);
  Json device = Resident("device:0", 1, 890, 0, 85);
  device["load_beneath"] = 3;
  device["load_beneath_under_way"] = true;
  spans.Take(device);
  const std::vector<SpanTree> open = spans.Take(Open("miss", "device:0", 1, 880));
  ASSERT_EQ(open.size(), 2U);
  EXPECT_TRUE(spans.awaits_load());
  EXPECT_TRUE(spans.Take(Resident("host", 2, 100, 20, 50)).empty()) << "another one";
  EXPECT_TRUE(spans.EndBatch().empty());
  const std::vector<SpanTree> beneath = spans.Take(Resident("host", 3, 900, 20, 95));
  ASSERT_EQ(beneath.size(), 1U);
  EXPECT_EQ(beneath[0].trace_id, open[0].trace_id);
  EXPECT_EQ(beneath[0].spans[0].parent_id, open[0].spans[0].span_id);
  EXPECT_FALSE(spans.awaits_load());
  EXPECT_EQ(spans.End().size(), 1U) << "the other one";
}

TEST(EventSpansTest, ALoadThatSeveralAwaitIsTheFirsts) {
  EventSpans spans(1);
  std::vector<SpanTree> first;
  for (int load = 1; load <= 2; ++load) {
    Json device = Resident("device:0", load, 890, 0, 85);
    device["load_beneath"] = 3;
    device["load_beneath_under_way"] = true;
    spans.Take(device);
    const std::vector<SpanTree> open = spans.Take(Open("miss", "device:0", load, 880));
    if (load == 1) first = open;
  }
  const std::vector<SpanTree> beneath = spans.Take(Resident("host", 3, 900, 20, 95));
  ASSERT_EQ(beneath.size(), 1U);
  EXPECT_EQ(beneath[0].spans[0].parent_id, first[0].spans[0].span_id);
  EXPECT_FALSE(spans.awaits_load()) << "for neither";
}

TEST(EventSpansTest, ALoadBeneathThatEndedBeforeIsNotAwaited) {
  EventSpans spans(1);
  Json device = Resident("device:0", 1, 890, 0, 85);
  device["load_beneath"] = 3;
  spans.Take(device);
  EXPECT_EQ(spans.Take(Open("miss", "device:0", 1, 880)).size(), 2U);
  EXPECT_FALSE(spans.awaits_load());
}

TEST(EventSpansTest, ALoadThatNobodyOpenedIsTold) {
  EventSpans spans(1);
  EXPECT_TRUE(spans.Take(Resident("host", 3, 900, 20, 50)).empty());
  EXPECT_TRUE(spans.EndBatch().empty());
  const std::vector<SpanTree> trees = spans.EndBatch();
  ASSERT_EQ(trees.size(), 1U);
  EXPECT_EQ(trees[0].spans[0].parent_id, "");
  EXPECT_TRUE(spans.EndBatch().empty());
  spans.Take(Resident("host", 4, 900, 20, 50));
  EXPECT_EQ(spans.End().size(), 1U);
}

TEST(EventSpansTest, LoadsThatWaitAreBounded) {
  EventSpans spans(1);
  size_t told = 0;
  for (size_t i = 1; i <= 2 * EventSpans::kMostLoads; ++i) {
    told += spans.Take(Resident("host", static_cast<int>(i), 900, 20, 50)).size();
  }
  EXPECT_EQ(told, EventSpans::kMostLoads);
}

TEST(EventSpansTest, WhatFailedSaysSo) {
  EventSpans spans(1);
  Json failed = Open("failed", "", 0, 1000);
  failed["error"] = {{"code", "NOT_FOUND"}, {"message", "no model"}};
  EXPECT_EQ(spans.Take(failed)[0].spans[0].error, "NOT_FOUND: no model");
  failed["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  EXPECT_FALSE(spans.Take(failed)[0].sampled);
}

TEST(EventSpansTest, AnyEventIsTaken) {
  EventSpans spans(1);
  for (const char* text : {"{}", "[]", "17", R"({"kind":"open.hit"})", R"({"kind":5,"began_us":1})",
                           R"({"kind":"segment.evicted","began_us":1})"}) {
    EXPECT_TRUE(spans.Take(Json::parse(text)).empty()) << text;
  }
  const Json odd = Json::parse(
      R"({"kind":"open.hit","began_us":-5,"took_us":-1,"queued_us":9223372036854775807,"ready_us":"x","pid":1.5,"error":[]})");
  const std::vector<SpanTree> trees = spans.Take(odd);
  ASSERT_EQ(trees.size(), 1U);
  for (const Span& span : trees[0].spans) EXPECT_GE(span.took.count(), 0);
}

}  // namespace
}  // namespace trims
