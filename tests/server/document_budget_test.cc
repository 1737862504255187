#include "server/document_budget.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(DocumentBudget, IsSpentAndFillsUpAtATenthOfTheTime) {
  DocumentBudget budget;
  TimePoint now{};
  EXPECT_TRUE(budget.Has(7, now));
  budget.Take(7, now, milliseconds(900));
  EXPECT_TRUE(budget.Has(7, now));
  budget.Take(7, now, milliseconds(200));
  EXPECT_FALSE(budget.Has(7, now));
  EXPECT_TRUE(budget.Has(8, now)) << "each user has its own";
  now += milliseconds(900);
  EXPECT_FALSE(budget.Has(7, now));
  now += milliseconds(200);
  EXPECT_TRUE(budget.Has(7, now));
}

TEST(DocumentBudget, NobodySavesUpMoreThanThereIs) {
  DocumentBudget budget;
  TimePoint now{};
  budget.Take(7, now, milliseconds(100));
  now += seconds(1000);
  budget.Take(7, now, milliseconds(1000));
  EXPECT_FALSE(budget.Has(7, now));
}

TEST(DocumentBudget, WhoHasAllOfItAgainIsForgotten) {
  DocumentBudget budget;
  TimePoint now{};
  budget.Take(1, now, seconds(100));
  for (uint64_t uid = 2; uid < 5000; ++uid) {
    now += milliseconds(20);
    budget.Take(uid, now, milliseconds(1));
  }
  EXPECT_FALSE(budget.Has(1, now)) << "who has not, is not";
}

}  // namespace
}  // namespace trims
