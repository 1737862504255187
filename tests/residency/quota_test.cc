#include "residency/quota.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "residency/namespace_ledger.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

TimePoint After(Duration time) { return TimePoint(std::chrono::hours(1)) + time; }

TEST(QuotaTest, EachLimitIsReadAndTheRestIsNone) {
  const NamedQuota all =
      ParseQuota("team-a:bytes=8GiB,leases=100,loads=4,loads-per-minute=60,guaranteed=2GiB")
          .value();
  EXPECT_EQ(all.name, "team-a");
  EXPECT_EQ(all.quota, (Quota{.bytes = uint64_t{8} << 30,
                              .leases = 100,
                              .loads = 4,
                              .loads_per_minute = 60,
                              .guaranteed = uint64_t{2} << 30}));
  EXPECT_EQ(ParseQuota("*:leases=1").value().quota, Quota{.leases = 1});
}

TEST(QuotaTest, WhatIsNoneIsSaidWithAnExample) {
  for (const char* text :
       {"", "team", "team:", ":leases=1", "a/b:leases=1", "team:leases", "team:leases=many",
        "team:leases=-1", "team:bytes=8 apples", "team:weight=3", "team:leases=1,,loads=2",
        "team:bytes=1GiB,guaranteed=2GiB", "team:bytes=50%"}) {
    const Status status = ParseQuota(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.hint(), HasSubstr("team-a:bytes=8GiB")) << text;
  }
}

TEST(QuotaTest, ANamespaceIsWhatStandsBeforeTheSlash) {
  EXPECT_EQ(NamespaceOf("team/ocr:3"), "team");
  EXPECT_EQ(NamespaceOf("ocr:3"), "default");
}

TEST(QuotaTest, LoadsComeBackWithTimeAndAreNotSavedUp) {
  EXPECT_DOUBLE_EQ(LoadsLeft(0, After({}), After(seconds(30)), 60), 30);
  EXPECT_DOUBLE_EQ(LoadsLeft(50, After({}), After(seconds(600)), 60), 60);
}

TEST(QuotaTest, AGuaranteeIsOfWhatIsLeft) {
  EXPECT_TRUE(LeavesGuaranteed(10, 4, 6));
  EXPECT_FALSE(LeavesGuaranteed(10, 5, 6));
  EXPECT_FALSE(LeavesGuaranteed(3, 4, 0));
}

TEST(QuotaTest, WithoutAGuardNothingWasUsedMomentsAgo) {
  EXPECT_FALSE(UsedMomentsAgo(After({}), After({}), Duration::zero()));
  EXPECT_TRUE(UsedMomentsAgo(After({}), After(milliseconds(9)), milliseconds(10)));
  EXPECT_FALSE(UsedMomentsAgo(After({}), After(milliseconds(10)), milliseconds(10)));
}

TEST(NamespaceLedgerTest, WithoutQuotasNothingIsRefusedAndALaterOneKnowsWhatIsHeld) {
  NamespaceLedger ledger({}, "host");
  const Charge charge = ledger.ChargeLease("team/a:1");
  EXPECT_FALSE(ledger.limits());
  EXPECT_TRUE(ledger.CheckLease("team/a:1").ok());
  EXPECT_EQ(ledger.Excess("team/a:1", 5), 0u);
  ledger.SetQuotas({{"team", {.bytes = 4, .leases = 1}}});
  EXPECT_TRUE(ledger.limits());
  EXPECT_EQ(ledger.CheckLease("team/a:1").code(), StatusCode::kQuotaExceeded);
  EXPECT_EQ(ledger.Excess("team/a:1", 5), 1u);
  EXPECT_TRUE(ledger.CheckLease("other/a:1").ok());
}

TEST(NamespaceLedgerTest, AChargeCountsUntilItGoes) {
  NamespaceLedger ledger({{"team", {.bytes = 10, .leases = 1, .loads = 1}}}, "host");
  {
    const Charge lease = ledger.ChargeLease("team/a:1");
    const Status refused = ledger.CheckLease("team/b:1");
    EXPECT_EQ(refused.code(), StatusCode::kQuotaExceeded);
    EXPECT_THAT(refused.message(), HasSubstr("namespace 'team' has 1 leases of 1"));
    EXPECT_TRUE(ledger.CheckLease("other/b:1").ok());
  }
  EXPECT_TRUE(ledger.CheckLease("team/b:1").ok());
  Charge load = ledger.ChargeLoad("team/a:1", 6, After({}));
  EXPECT_THAT(ledger.CheckLoad("team/b:1", 1, After({})).message(), HasSubstr("1 loads in flight"));
  load.EndLoad();
  EXPECT_TRUE(ledger.CheckLoad("team/b:1", 1, After({})).ok());
  EXPECT_EQ(ledger.Excess("team/b:1", 6), 2u);
  load.SetLeaving(true);
  EXPECT_EQ(ledger.Excess("team/b:1", 6), 0u) << "it is on its way out";
  load.SetLeaving(false);
  Charge moved = std::move(load);
  EXPECT_EQ(ledger.Excess("team/b:1", 6), 2u);
  moved.Release();
  EXPECT_EQ(ledger.Excess("team/b:1", 10), 0u);
  EXPECT_EQ(ledger.CheckLoad("team/b:1", 11, After({})).code(), StatusCode::kQuotaExceeded);
  ledger.CountRefused("team/b:1");
  EXPECT_EQ(ledger.uses().find("team")->second.refused, 1u);
}

TEST(NamespaceLedgerTest, LoadsThatBeginAreCountedByTheMinute) {
  NamespaceLedger ledger({{"*", {.loads_per_minute = 2}}}, "host");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(ledger.CheckLoad("team/a:1", 1, After({})).ok()) << i;
    ledger.ChargeLoad("team/a:1", 1, After({}));
  }
  EXPECT_EQ(ledger.CheckLoad("team/a:1", 1, After(seconds(29))).code(), StatusCode::kQuotaExceeded);
  EXPECT_TRUE(ledger.CheckLoad("team/a:1", 1, After(seconds(30))).ok());
  EXPECT_TRUE(ledger.CheckLoad("other/a:1", 1, After({})).ok()) << "each by itself";
}

TEST(QuotaTest, AChangeReplacesOneAndNoneTakesItAway) {
  Quotas quotas{{"a", {.bytes = 8, .leases = 1}}};
  ASSERT_TRUE(ChangeQuota("a:leases=2", &quotas).ok());
  EXPECT_EQ(quotas, (Quotas{{"a", {.leases = 2}}})) << "the quota that is given is the whole one";
  ASSERT_TRUE(ChangeQuota("*:loads=1", &quotas).ok());
  ASSERT_TRUE(ChangeQuota("a:none", &quotas).ok());
  EXPECT_EQ(quotas, (Quotas{{"*", {.loads = 1}}}));
  for (const char* text :
       {"a:none", ":none", "none", "a:", "a:leases=x", "b", "a:leases=1,", "a:leases=1,leases=2"}) {
    EXPECT_EQ(ChangeQuota(text, &quotas).code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(quotas.size(), 1u);
}

TEST(QuotaTest, NoMoreIsGuaranteedThanThereIs) {
  const Quotas quotas{{"a", {.guaranteed = 6}}, {"b", {.guaranteed = 2}}};
  EXPECT_TRUE(CheckGuaranteed(quotas, 8).ok());
  EXPECT_EQ(CheckGuaranteed(quotas, 7).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckGuaranteed(quotas, 1).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace trims
