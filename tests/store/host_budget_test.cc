#include "store/host_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace trims {
namespace {

using ::testing::HasSubstr;

TEST(HostBudgetTest, AReservationCountsWhileItLives) {
  HostBudget budget(100);
  {
    const Result<Reservation> first = budget.Reserve(60);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(budget.used(), 60u);
    EXPECT_EQ(first->bytes(), 60u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(HostBudgetTest, WhatCanNeverFitIsTooLargeAndBothNumbersAreNamed) {
  HostBudget budget(100);
  const Status status = budget.Reserve(101).status();
  EXPECT_EQ(status.code(), StatusCode::kTooLarge);
  EXPECT_THAT(status.message(), HasSubstr("101"));
  EXPECT_THAT(status.message(), HasSubstr("100"));
}

TEST(HostBudgetTest, WhatDoesNotFitNowIsExhausted) {
  HostBudget budget(100);
  const Result<Reservation> held = budget.Reserve(60);
  const Status status = budget.Reserve(41).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("41"));
  EXPECT_THAT(status.message(), HasSubstr("40"));
  EXPECT_TRUE(budget.Reserve(40).ok());
}

TEST(HostBudgetTest, MovingHandsTheClaimOn) {
  HostBudget budget(100);
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

TEST(HostBudgetTest, TheLimitHoldsForManyThreads) {
  HostBudget budget(1000);
  std::atomic<bool> beyond{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5000; ++round) {
        const Result<Reservation> claim = budget.Reserve(static_cast<uint64_t>(200 + i * 50));
        if (budget.used() > 1000) beyond = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(beyond);
  EXPECT_EQ(budget.used(), 0u);
}

struct Size {
  std::string_view text;
  uint64_t bytes;
};

TEST(ParseByteSizeTest, TakesBytesUnitsAndShares) {
  for (const Size& size : std::vector<Size>{{"1073741824", 1073741824},
                                            {"0", 0},
                                            {"500MB", 500'000'000},
                                            {"8GiB", uint64_t{8} << 30},
                                            {"8 GiB", uint64_t{8} << 30},
                                            {"1.5GiB", uint64_t{3} << 29},
                                            {"64KiB", 65536},
                                            {"2TB", 2'000'000'000'000},
                                            {"18446744073709551615", UINT64_MAX},
                                            {"50%", 500},
                                            {"12.5%", 125},
                                            {"100%", 1000}}) {
    const Result<uint64_t> parsed = ParseByteSize(size.text, 1000);
    ASSERT_TRUE(parsed.ok()) << size.text << ": " << parsed.status().ToString();
    EXPECT_EQ(*parsed, size.bytes) << size.text;
  }
}

TEST(ParseByteSizeTest, AShareOfAllIsAllEvenWhereADoubleIsNotExact) {
  const Result<uint64_t> all = ParseByteSize("100%", UINT64_MAX);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(*all, UINT64_MAX);
}

TEST(ParseByteSizeTest, RefusesTheRest) {
  for (const std::string_view text : {"",
                                      " ",
                                      "GiB",
                                      "-1",
                                      "+1",
                                      "1e9",
                                      "8gib",
                                      "8 Gi B",
                                      "0x10",
                                      "18446744073709551616",
                                      "20000000TiB",
                                      "999999999999999999999.5TiB",
                                      "101%",
                                      "0%",
                                      "-5%",
                                      "%",
                                      "nan%",
                                      "inf",
                                      "1..5GiB",
                                      "5%%"}) {
    const Result<uint64_t> parsed = ParseByteSize(text, 1000);
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(TotalMemoryTest, ThisMachineHasSome) { EXPECT_GT(TotalMemory(), uint64_t{1} << 24); }

}  // namespace
}  // namespace trims
