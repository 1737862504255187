#include "trace/chrome_tracks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace trims {
namespace {

using Json = nlohmann::json;
using std::chrono::microseconds;

SpanTree TreeOf(const std::string& tier, int64_t pid, int begin, int took) {
  SpanTree tree{.tier = tier, .client = "ocr", .pid = pid};
  tree.spans.push_back({.name = "whole", .begin = microseconds(begin), .took = microseconds(took)});
  tree.spans.push_back({.name = "part", .begin = microseconds(begin), .took = microseconds(took)});
  return tree;
}

// Of the spans.
std::vector<std::pair<int64_t, int64_t>> PlacesOf(const std::vector<std::string>& events) {
  std::vector<std::pair<int64_t, int64_t>> places;
  for (const std::string& text : events) {
    const Json event = Json::parse(text);
    if (event["ph"] == "X") places.emplace_back(event["pid"], event["tid"]);
  }
  return places;
}

TEST(ChromeTracksTest, ATrackAClientAndATrackATier) {
  ChromeTracks tracks;
  const std::vector<std::string> events =
      tracks.Text({TreeOf("", 17, 0, 10), TreeOf("", 18, 0, 10), TreeOf("host", 0, 0, 10),
                   TreeOf("device:0", 0, 0, 10), TreeOf("", 17, 10, 10)});
  const auto places = PlacesOf(events);
  ASSERT_EQ(places.size(), 10U);
  EXPECT_EQ(places[0], places[1]) << "a part lies within its whole";
  EXPECT_EQ(places[0].first, 17);
  EXPECT_EQ(places[2].first, 18);
  EXPECT_EQ(places[4].first, ChromeTracks::kDaemonPid);
  EXPECT_EQ(places[6].first, ChromeTracks::kDaemonPid);
  EXPECT_NE(places[4].second, places[6].second);
  EXPECT_EQ(places[8], places[0]) << "one after the other";
  size_t names = 0;
  for (const std::string& text : events) names += Json::parse(text)["ph"] == "M" ? 1 : 0;
  EXPECT_EQ(names, 7U) << "three processes, four threads, each once";
}

TEST(ChromeTracksTest, WhatOverlapsIsSideBySide) {
  ChromeTracks tracks;
  const auto places =
      PlacesOf(tracks.Text({TreeOf("", 17, 0, 10), TreeOf("", 17, 5, 10), TreeOf("", 17, 10, 10)}));
  EXPECT_NE(places[0], places[2]);
  EXPECT_EQ(places[0], places[4]);
}

TEST(ChromeTracksTest, TracksAreBounded) {
  ChromeTracks tracks;
  std::vector<SpanTree> trees;
  for (int i = 0; i < 1000; ++i) trees.push_back(TreeOf("", 17, 0, 10));
  std::set<std::pair<int64_t, int64_t>> places;
  for (const auto& place : PlacesOf(tracks.Text(trees))) places.insert(place);
  EXPECT_EQ(places.size(), 64U);
}

TEST(ChromeTracksTest, AnErrorIsAnArgument) {
  ChromeTracks tracks;
  SpanTree tree = TreeOf("", 17, 0, 10);
  tree.spans[0].error = "NOT_FOUND: no \"model\"";
  tree.spans[0].args["model"] = "a\xff";
  const Json span = Json::parse(tracks.Text({tree})[2]);
  EXPECT_EQ(span["args"]["error"], "NOT_FOUND: no \"model\"");
}

}  // namespace
}  // namespace trims
