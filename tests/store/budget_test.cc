#include "store/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trims {
namespace {

using ::testing::HasSubstr;

TEST(BudgetTest, AReservationCountsWhileItLives) {
  Budget budget("host", 100);
  {
    const Result<Reservation> first = budget.Reserve(60);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(budget.used(), 60u);
    EXPECT_EQ(first->bytes(), 60u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(BudgetTest, WhatCanNeverFitIsTooLargeAndBothNumbersAreNamed) {
  Budget budget("host", 100);
  const Status status = budget.Reserve(101).status();
  EXPECT_EQ(status.code(), StatusCode::kTooLarge);
  EXPECT_THAT(status.message(), HasSubstr("101"));
  EXPECT_THAT(status.message(), HasSubstr("100"));
}

TEST(BudgetTest, WhatDoesNotFitNowIsExhausted) {
  Budget budget("host", 100);
  const Result<Reservation> held = budget.Reserve(60);
  const Status status = budget.Reserve(41).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("41"));
  EXPECT_THAT(status.message(), HasSubstr("40"));
  EXPECT_TRUE(budget.Reserve(40).ok());
}

TEST(BudgetTest, MovingHandsTheClaimOn) {
  Budget budget("host", 100);
  Result<Reservation> first = budget.Reserve(60);
  Reservation moved = *std::move(first);
  EXPECT_EQ(budget.used(), 60u);
  Result<Reservation> other = budget.Reserve(30);
  moved = *std::move(other);
  EXPECT_EQ(budget.used(), 30u);
  moved.Release();
  moved.Release();
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace trims
