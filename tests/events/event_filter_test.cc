#include "events/event_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace trims {
namespace {

using ::testing::HasSubstr;

EventFilter Filter(std::string_view model, std::vector<std::string_view> kinds,
                   bool opens = false) {
  return MakeEventFilter(model, kinds, opens).value();
}

TEST(EventFilter, NamesOfKindsDiffer) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kEventKinds; ++i) names.insert(EventKindName(static_cast<EventKind>(i)));
  EXPECT_EQ(names.size(), kEventKinds);
  EXPECT_FALSE(names.contains(""));
  EXPECT_EQ(EventKindName(EventKind::kOpenFailed), "open.failed");
  EXPECT_EQ(EventKindName(EventKind::kLeasesEnded), "leases.ended");
}

TEST(EventFilter, WithoutKindsItWantsAllButOpens) {
  EXPECT_TRUE(Filter("", {}).WantsKind(EventKind::kModelAdded));
  EXPECT_FALSE(Filter("", {}).WantsKind(EventKind::kOpenHit));
  EXPECT_FALSE(Filter("", {}).WantsOpens());
  EXPECT_TRUE(Filter("", {}, true).WantsKind(EventKind::kOpenHit));
  EXPECT_TRUE(Filter("", {}, true).WantsKind(EventKind::kModelAdded));
}

TEST(EventFilter, AKindIsOneOrAGroup) {
  const EventFilter filter = Filter("", {"segment", "open.miss"});
  EXPECT_TRUE(filter.WantsKind(EventKind::kSegmentEvicted));
  EXPECT_TRUE(filter.WantsKind(EventKind::kOpenMiss));
  EXPECT_FALSE(filter.WantsKind(EventKind::kOpenHit));
  EXPECT_FALSE(filter.WantsKind(EventKind::kModelAdded));
  EXPECT_TRUE(filter.WantsOpens());
}

TEST(EventFilter, ThereIsNoSuchKind) {
  for (const std::string_view kind : {"segmint", "", "segment.", "seg"}) {
    const Status status = MakeEventFilter("", std::vector{kind}, false).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << kind;
    EXPECT_THAT(status.hint(), HasSubstr("segment, model, alias"));
  }
}

TEST(EventFilter, AModelIsANameOrAVersionOrAnAlias) {
  const Event event{.kind = EventKind::kModelAdded, .model = "default/ocr:3f1c"};
  EXPECT_TRUE(Filter("ocr", {}).Wants(event));
  EXPECT_TRUE(Filter("default/ocr", {}).Wants(event));
  EXPECT_TRUE(Filter("ocr:3f1c", {}).Wants(event));
  EXPECT_FALSE(Filter("ocr:3f", {}).Wants(event));
  EXPECT_FALSE(Filter("oc", {}).Wants(event));
  EXPECT_FALSE(Filter("team/ocr", {}).Wants(event));
  EXPECT_FALSE(Filter("ocr", {}).Wants({.kind = EventKind::kPolicyChanged}));
  EXPECT_TRUE(
      Filter("prod", {})
          .Wants(
              {.kind = EventKind::kAliasMoved, .model = "default/ocr:1", .alias = "default/prod"}));
}

}  // namespace
}  // namespace trims
