// What the manager tells of what it does.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "events/event_feed.h"
#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;

class ManagerEvents : public test::ManagerFixture {
 protected:
  std::vector<Event> Events(std::vector<std::string_view> kinds = {}) {
    return manager_->events()
        .Read({.filter = MakeEventFilter("", kinds, false).value(), .since = 0})
        .events;
  }
  std::vector<std::string> Kinds() {
    std::vector<std::string> kinds;
    for (const Event& event : Events()) kinds.emplace_back(EventKindName(event.kind));
    return kinds;
  }
};

TEST_F(ManagerEvents, AnEvictionSaysForWhomByWhichPolicyAndWhichScore) {
  Know("a", 'a', 4);
  Know("b", 'b', 4);
  Start(4, Reclaim::kLazy, FindEvictionPolicy("lru").value());
  OpenResident("a");
  const auto at = clock_.Now();
  clock_.Advance(milliseconds(3));
  Open("b");
  const std::vector<Event> evicted = Events({"segment.evicted"});
  ASSERT_EQ(evicted.size(), 1U);
  EXPECT_EQ(evicted[0].model, "default/a:v1");
  EXPECT_EQ(evicted[0].other, "default/b:v1");
  EXPECT_EQ(evicted[0].reason, "room");
  EXPECT_EQ(evicted[0].policy, "lru");
  EXPECT_EQ(evicted[0].score, static_cast<double>(at.time_since_epoch().count()));
  EXPECT_EQ(evicted[0].bytes, 4 * test::kPage);
}

TEST_F(ManagerEvents, ALoadSaysHowLongItWaitedAndHowLongItTook) {
  Know("a", 'a', 4);
  Know("b", 'b', 4);
  Start(4, Reclaim::kLazy, FindEvictionPolicy("lru").value());
  OpenResident("a");
  auto b = Open("b");
  clock_.Advance(milliseconds(5));
  tier_->FinishRelease();
  clock_.Advance(milliseconds(7));
  tier_->Finish();
  const Event resident = Events({"segment.resident"}).back();
  EXPECT_EQ(resident.model, "default/b:v1");
  EXPECT_EQ(resident.queued, milliseconds(5));
  EXPECT_EQ(resident.took, milliseconds(7));
  EXPECT_EQ(resident.tier, "host");
  EXPECT_EQ(resident.variant, "files");
}

TEST_F(ManagerEvents, AFailureAndItsReasonAreTold) {
  Know("a", 'a', 4);
  Start(4);
  Open("a");
  tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"segment.loading", "segment.load_failed"}));
  EXPECT_EQ(Events().back().error.code(), StatusCode::kDataLoss);
}

TEST_F(ManagerEvents, WhatGoesWithItsLastLeaseSaysWhy) {
  Know("a", 'a', 4);
  Know("b", 'b', 4);
  Start(8);
  auto a = OpenResident("a");
  Remove("a");
  a->lease.reset();
  const std::vector<Event> gone = Events({"segment.reclaimed"});
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].reason, "removed");
  EXPECT_EQ(Events({"model.removed"}).size(), 1U);
  a.reset();  // with all that it has of the first manager
  Start(8, Reclaim::kEager);
  OpenResident("b")->lease.reset();
  EXPECT_EQ(Events({"segment.reclaimed"}).at(0).reason, "policy");
}

TEST_F(ManagerEvents, WhatAnOperatorChangesIsTold) {
  Know("a", 'a', 4);
  Start(8);
  const wire::Principal self{.uid = ::geteuid()};
  ASSERT_TRUE(manager_->ChangePolicy(self, {.eviction = "lru"}).ok());
  ASSERT_TRUE(manager_->ChangePolicy(self, {.eviction = "lru"}).ok()) << "which changes nothing";
  const Event changed = Events({"policy.changed"}).at(0);
  EXPECT_EQ(changed.policy, "lru");
  EXPECT_EQ(changed.other, "lazy");
  EXPECT_EQ(changed.admission, "all");
  ASSERT_TRUE(manager_->ChangePolicy(self, {.budget = "8KiB"}).ok());
  EXPECT_EQ(Events({"budget.changed"}).at(0).bytes, uint64_t{8} << 10);
  ASSERT_TRUE(manager_->Drain(self, true, {}).ok());
  ASSERT_TRUE(manager_->Drain(self, true, {}).ok());
  ASSERT_TRUE(manager_->Drain(self, false, {}).ok());
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"policy.changed", "budget.changed", "drain.begun",
                                               "drain.ended"}));
}

}  // namespace
}  // namespace trims
