// What an open would come to: the same as it comes to, and nothing is changed by asking.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::kPage;
using ::testing::HasSubstr;

class ManagerExplain : public test::ManagerFixture {
 protected:
  void KnowAll() {
    for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}})
      Know(name, digit, 4);
  }
  ExplainedOpen Explain(const std::string& reference) {
    return manager_->Explain({.reference = reference}).value();
  }
};

TEST_F(ManagerExplain, WhatIsResidentCostsNothing) {
  KnowAll();
  Start(8);
  auto a = OpenResident("a");
  const ExplainedOpen open = Explain("a");
  EXPECT_EQ(open.served_from, "host");
  EXPECT_EQ(open.estimate, std::chrono::microseconds(0));
  EXPECT_EQ(open.moves_bytes, 0U);
  EXPECT_EQ(open.plans.at(0).leases, 1U);
  EXPECT_EQ(open.plans.at(0).bytes, 4 * kPage);
}

TEST_F(ManagerExplain, TheFirstLoadOfAllIsNotEstimatedAndLaterOnesAre) {
  KnowAll();
  Start(12);
  EXPECT_EQ(Explain("a").estimate, std::nullopt);
  EXPECT_EQ(Explain("a").served_from, "disk");
  auto a = Open("a");
  clock_.Advance(milliseconds(8));
  EXPECT_EQ(Explain("a").served_from, "load");
  tier_->Finish();
  EXPECT_EQ(Explain("b").estimate, milliseconds(8)) << "as large, at the rate of the other";
  EXPECT_EQ(Explain("b").estimate_from, "average");
}

TEST_F(ManagerExplain, ItNamesThoseThatThenGoAndChangesNothing) {
  KnowAll();
  Start(8, Reclaim::kLazy, FindEvictionPolicy("lru").value());
  OpenResident("a");
  clock_.Advance(milliseconds(1));
  OpenResident("b");
  clock_.Advance(milliseconds(1));
  const ExplainedOpen open = Explain("c");
  ASSERT_EQ(open.plans.at(0).victims.size(), 1U);
  EXPECT_EQ(open.plans[0].victims[0].reference, "default/a:v1");
  EXPECT_EQ(open.plans[0].victims[0].bytes, 4 * kPage);
  EXPECT_EQ(open.plans[0].eviction_policy, "lru");
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(StateOf("c"), "absent");
  EXPECT_EQ(manager_->Snapshot().segments.size(), 2U);
  EXPECT_EQ(Count().opens, 2U);
  Open("c");
  EXPECT_EQ(StateOf("a"), "draining") << "as was said";
}

TEST_F(ManagerExplain, ARefusalIsTheOnesThatTheOpenGets) {
  KnowAll();
  Know("large", 'd', 9);
  Start(8);
  auto a = OpenResident("a");
  auto b = OpenResident("b");
  for (const char* name : {"c", "large"}) {
    const ExplainedOpen open = Explain(name);
    const Status refused = Open(name)->status;
    EXPECT_EQ(open.refused.code(), refused.code()) << name;
    EXPECT_EQ(open.refused.message(), refused.message());
    EXPECT_EQ(open.served_from, "");
  }
  b->lease.reset();
  auto c = Open("c");
  tier_->FinishRelease();
  tier_->Fail(StatusCode::kDataLoss);
  Open("c");
  tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(Explain("c").refused.code(), StatusCode::kDataLoss) << "it is backed off from";
  EXPECT_THAT(Explain("c").refused.message(), HasSubstr("tried again in"));
  EXPECT_EQ(manager_->Explain({.reference = "none"}).status().code(), StatusCode::kNotFound);
}

TEST_F(ManagerExplain, WhatWasMeasuredIsTheEstimate) {
  KnowAll();
  Start(4, Reclaim::kLazy, FindEvictionPolicy("lru").value());
  auto a = Open("a");
  clock_.Advance(milliseconds(6));
  tier_->Finish();
  a->lease.reset();
  auto b = Open("b");
  tier_->FinishRelease();
  clock_.Advance(milliseconds(2));
  tier_->Finish();
  b->lease.reset();
  const ExplainedOpen open = Explain("a");
  EXPECT_EQ(open.estimate_from, "measured");
  EXPECT_EQ(open.estimate, milliseconds(6));
}

}  // namespace
}  // namespace trims
