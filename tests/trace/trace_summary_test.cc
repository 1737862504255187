#include "trace/trace_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trims {
namespace {

using Json = nlohmann::json;
using std::chrono::microseconds;

Json SpanOf(const char* name, const char* category, double took, const char* model = "") {
  return {
      {"ph", "X"}, {"name", name}, {"cat", category}, {"dur", took}, {"args", {{"model", model}}}};
}

TEST(DurationHistogramTest, QuantilesAreNear) {
  DurationHistogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), Duration(0));
  for (int i = 1; i <= 10'000; ++i) histogram.Add(microseconds(i));
  EXPECT_EQ(histogram.count(), 10'000U);
  EXPECT_EQ(histogram.longest(), microseconds(10'000));
  EXPECT_EQ(histogram.total(), microseconds(50'005'000));
  for (const double share : {0.01, 0.5, 0.95, 0.99}) {
    const double found = static_cast<double>(histogram.Quantile(share).count());
    EXPECT_NEAR(found / (share * 1e7), 1, 0.01) << share;
  }
  EXPECT_EQ(histogram.Quantile(1), microseconds(10'000));
}

TEST(DurationHistogramTest, AnyDurationHasABucket) {
  DurationHistogram histogram;
  histogram.Add(Duration(0));
  EXPECT_EQ(histogram.Quantile(0.5), Duration(0));
  histogram.Add(Duration::max() / 2);
  EXPECT_GT(histogram.Quantile(1), Duration::max() / 3);
}

TEST(TraceSummaryTest, SpansAreSharesOfTheOpens) {
  TraceSummary summary;
  summary.Add(SpanOf("open", "trims.client", 100, "default/ocr:1"));
  summary.Add(SpanOf("open", "trims.client", 300, "default/ocr:1"));
  summary.Add(SpanOf("serve", "trims.open", 50, "default/ocr:1"));
  summary.Add(SpanOf("attach", "trims.client", 20));
  summary.Add({{"ph", "M"}, {"name", "process_name"}});
  const Json document = summary.Document();
  EXPECT_EQ(document["opens"], "open");
  EXPECT_EQ(document["opens_us"], 400.0);
  ASSERT_EQ(document["spans"].size(), 3U);
  EXPECT_EQ(document["spans"][0]["name"], "open");
  EXPECT_EQ(document["spans"][0]["count"], 2);
  EXPECT_EQ(document["spans"][0]["mean_us"], 200.0);
  EXPECT_EQ(document["spans"][0]["max_us"], 300.0);
  EXPECT_EQ(document["spans"][1]["share"], 0.125);
  EXPECT_EQ(document["models"].size(), 1U);
  EXPECT_EQ(document["models"][0]["model"], "default/ocr:1");
}

TEST(TraceSummaryTest, TheDaemonsSpansStandInWhereThereIsNoClients) {
  TraceSummary summary;
  summary.Add(SpanOf("serve", "trims.open", 50, "default/ocr:1"));
  summary.Add(SpanOf("open", "somebody.else", 1000, "door"));
  EXPECT_EQ(summary.Document()["opens"], "serve");
  EXPECT_EQ(summary.Document()["opens_us"], 50.0);
}

TEST(TraceSummaryTest, WhatHasNoDurationIsPassedOver) {
  TraceSummary summary;
  summary.Add({{"ph", "X"}, {"name", "a"}, {"dur", "5"}});
  summary.Add({{"ph", "X"}, {"name", "a"}, {"dur", -5}});
  summary.Add({{"ph", "X"}, {"name", "a"}, {"dur", 1e300}});
  summary.Add({{"ph", "X"}, {"name", "a"}, {"args", 7}});
  EXPECT_EQ(summary.Document()["spans"], Json::array());
  EXPECT_EQ(summary.Document()["opens"], nullptr);
}

TEST(TraceSummaryTest, NamesAreBounded) {
  TraceSummary summary;
  for (size_t i = 0; i < 2 * TraceSummary::kMostNames; ++i) {
    summary.Add(SpanOf(std::to_string(i).c_str(), "c", 1));
  }
  const Json spans = summary.Document()["spans"];
  EXPECT_EQ(spans.size(), TraceSummary::kMostNames + 1);
  EXPECT_EQ(spans[0]["name"], "(other)");
  EXPECT_EQ(spans[0]["count"], TraceSummary::kMostNames);
}

}  // namespace
}  // namespace trims
