#include "tools/trims/progress_bar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace trims::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(ProgressLineTest, ShowsBarBytesRateAndWhatIsLeft) {
  EXPECT_EQ(ProgressLine({"read", 25 * kMiB, 50 * kMiB}, {.time = milliseconds(500)}, 100),
            "read      [###########...........]  50 %  25.0 MiB of 50.0 MiB  50.0 MiB/s  1 s left");
  EXPECT_EQ(ProgressLine({"read", 50 * kMiB, 50 * kMiB}, {.time = seconds(1)}, 100),
            "read      [######################] 100 %  50.0 MiB of 50.0 MiB  50.0 MiB/s");
}

TEST(ProgressLineTest, WhatWasThereBeforeCameAtNoRate) {
  EXPECT_EQ(ProgressLine({"fetch", 30 * kMiB, 50 * kMiB},
                         {.time = seconds(5), .began_with = 25 * kMiB}, 100),
            "fetch     [#############.........]  60 %  30.0 MiB of 50.0 MiB  1.0 MiB/s  20 s left");
  EXPECT_EQ(ProgressLine({"fetch", 25 * kMiB, 50 * kMiB},
                         {.time = seconds(5), .began_with = 25 * kMiB}, 100),
            "fetch     [###########...........]  50 %  25.0 MiB of 50.0 MiB");
}

TEST(ProgressLineTest, CountsStepsThatAreNoBytes) {
  EXPECT_EQ(ProgressLine({"optimise", 2, 3}, {.time = seconds(1)}, 100),
            "optimise  [##############........]  66 %  2 of 3");
}

TEST(ProgressLineTest, ShowsTheStageAloneWhereThereIsNothingToCount) {
  EXPECT_EQ(ProgressLine({"optimise", 0, 0}, {.time = seconds(65)}, 100), "optimise ...");
  EXPECT_EQ(ProgressLine({"optimise", 0, 1}, {.time = seconds(65)}, 100), "optimise ...");
}

TEST(ProgressLineTest, NeverWraps) {
  EXPECT_EQ(ProgressLine({"read", kMiB, kMiB}, {.time = seconds(1)}, 20).size(), 19u);
  EXPECT_EQ(ProgressLine({"read", kMiB, kMiB}, {.time = seconds(1)}, 0), "");
}

TEST(ProgressLineTest, ShowsNoControlCharacters) {
  EXPECT_THAT(ProgressLine({"\x1b[2J", 0, 0}, {.time = seconds(1)}, 100), HasSubstr("\\x1b[2J"));
}

class ProgressBarTest : public ::testing::Test {
 protected:
  Terminal MakeTerminal(bool is_terminal) {
    return {.out = out_, .err = err_, .err_is_terminal = is_terminal, .columns = 100};
  }
  size_t Drawn() {
    const std::string text = err_.str();
    size_t count = 0;
    for (size_t at = 0; (at = text.find('\r', at)) != std::string::npos; ++at) ++count;
    return count;
  }
  std::ostringstream out_;
  std::ostringstream err_;
  ManualClock clock_;
};

TEST_F(ProgressBarTest, WritesNothingToAFile) {
  const Terminal terminal = MakeTerminal(false);
  ProgressBar bar(terminal, clock_);
  bar.Update({"read", 1, 2});
  bar.Clear();
  EXPECT_EQ(err_.str(), "");
}

TEST_F(ProgressBarTest, DrawsTenTimesASecondAtMost) {
  const Terminal terminal = MakeTerminal(true);
  ProgressBar bar(terminal, clock_);
  for (uint64_t i = 0; i < 1000; ++i) {
    bar.Update({"read", i, 100'000});
    clock_.Advance(milliseconds(1));
  }
  EXPECT_EQ(Drawn(), 10u);
}

TEST_F(ProgressBarTest, DrawsANewStageAndTheEndAtOnce) {
  const Terminal terminal = MakeTerminal(true);
  ProgressBar bar(terminal, clock_);
  bar.Update({"read", 1, 100'000});
  bar.Update({"write", 1, 100'000});
  bar.Update({"write", 100'000, 100'000});
  EXPECT_EQ(Drawn(), 3u);
  EXPECT_THAT(err_.str(), HasSubstr("100 %"));
}

TEST_F(ProgressBarTest, AResumedDownloadsRateIsThatOfWhatComesNow) {
  const Terminal terminal = MakeTerminal(true);
  ProgressBar bar(terminal, clock_);
  bar.Update({"fetch", 400 * kMiB, 1000 * kMiB});
  clock_.Advance(milliseconds(150));
  bar.Update({"fetch", 900 * kMiB, 1000 * kMiB});  // another file that was there
  clock_.Advance(seconds(10));
  bar.Update({"fetch", 910 * kMiB, 1000 * kMiB});
  EXPECT_THAT(err_.str(), HasSubstr("1.0 MiB/s  1 min 30 s left"));
}

TEST_F(ProgressBarTest, LeavesAnEmptyLine) {
  const Terminal terminal = MakeTerminal(true);
  {
    ProgressBar bar(terminal, clock_);
    bar.Update({"read", 1, 100'000});
  }
  EXPECT_THAT(err_.str(), ::testing::EndsWith("\r\x1b[K"));
}

void InterruptWithABar() {
  std::ostringstream unused;
  const Terminal terminal{.out = unused, .err = unused, .err_is_terminal = true};
  const SteadyClock clock;
  ProgressBar bar(terminal, clock);
  raise(SIGINT);
}

TEST(ProgressBarDeathTest, ClearsItsLineOnInterruptAndDiesOfIt) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(InterruptWithABar(), ::testing::KilledBySignal(SIGINT), "trims: interrupted");
}

}  // namespace
}  // namespace trims::cli
