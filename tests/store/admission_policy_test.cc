#include "store/admission_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/tier_policy.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

EvictionCandidate UsedSoOften(double frequency, bool admitted = true) {
  EvictionCandidate candidate;
  candidate.frequency = frequency;
  candidate.admitted = admitted;
  return candidate;
}

bool Admits(std::string_view policy, double newcomer,
            const std::vector<EvictionCandidate>& victims) {
  return FindAdmissionPolicy(policy).value()->admits(UsedSoOften(newcomer), victims);
}

TEST(AdmissionPolicyTest, EachIsFoundByItsNameAndAnUnknownOneNamesThem) {
  const Status status = FindAdmissionPolicy("some").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  for (const AdmissionPolicy& policy : AdmissionPolicies()) {
    EXPECT_EQ(FindAdmissionPolicy(policy.name).value(), &policy);
    EXPECT_THAT(status.hint(), HasSubstr(policy.name));
  }
  EXPECT_EQ(DefaultAdmissionPolicy()->name, "all");
}

TEST(AdmissionPolicyTest, AllAdmitsWhatWasNeverUsed) {
  EXPECT_TRUE(Admits("all", kNeverUsed, {UsedSoOften(9)}));
}

TEST(AdmissionPolicyTest, TinyLfuComparesTheNewcomerWithItsVictimsTogether) {
  EXPECT_TRUE(Admits("tinylfu", 3, {UsedSoOften(2)}));
  EXPECT_FALSE(Admits("tinylfu", 2, {UsedSoOften(2)}));
  EXPECT_FALSE(Admits("tinylfu", 3, {UsedSoOften(2.5), UsedSoOften(2.5)}));
  EXPECT_TRUE(Admits("tinylfu", 3.6, {UsedSoOften(2.5), UsedSoOften(2.5)}));
}

TEST(AdmissionPolicyTest, TinyLfuGivesTheRoomOfThoseThatWereNotAdmittedAndTheirPlace) {
  EXPECT_FALSE(Admits("tinylfu", 9, {UsedSoOften(5, /*admitted=*/false)}));
  EXPECT_TRUE(Admits("tinylfu", 3, {UsedSoOften(5, /*admitted=*/false), UsedSoOften(2)}))
      << "they hold nobody off";
  EXPECT_TRUE(Admits("tinylfu", 0, {UsedSoOften(kNeverUsed)}));
}

TEST(TierPolicyTest, NothingIsKeptWhereReclaimOrEvictionIsEager) {
  const EvictionPolicy* eager = FindEvictionPolicy("eager").value();
  EXPECT_TRUE(TierPolicy{}.Keeps());
  EXPECT_FALSE(TierPolicy{.reclaim = Reclaim::kEager}.Keeps());
  EXPECT_FALSE(TierPolicy{.eviction = eager}.Keeps());
}

TEST(TierPolicyTest, ReclaimIsFoundByItsName) {
  EXPECT_EQ(ParseReclaim("eager").value(), Reclaim::kEager);
  EXPECT_EQ(ParseReclaim("lazy").value(), Reclaim::kLazy);
  EXPECT_EQ(ParseReclaim("10m").value(), Reclaim{.after = std::chrono::minutes(10)});
  EXPECT_EQ(ParseReclaim("0").value(), Reclaim::kEager);
  EXPECT_THAT(ParseReclaim("never").status().hint(), HasSubstr("eager, lazy"));
  EXPECT_FALSE(ParseReclaim("off").ok()) << "it might mean either";
  for (const char* text : {"eager", "lazy", "10m", "90s", "250ms"}) {
    EXPECT_EQ(ReclaimText(ParseReclaim(text).value()), text);
  }
}

TEST(TierPolicyTest, OfTwoReclaimsTheLongerIs) {
  const Reclaim minute{.after = std::chrono::minutes(1)};
  EXPECT_EQ(Longer(minute, Reclaim::kEager), minute);
  EXPECT_EQ(Longer(minute, Reclaim::kLazy), Reclaim::kLazy);
}

}  // namespace
}  // namespace trims
