#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tools/trims/doctor_gather.h"
#include "tools/trims/run_program.h"
#include "tools/trims/small_file.h"

namespace trims::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SmallFileTest, ReadsNumbersAndWords) {
  EXPECT_EQ(NumberAfter("MemTotal:   80 kB\nMemFree: 7 kB\n", "MemFree"), 7u);
  EXPECT_EQ(NumberAfter("MemTotal: 80 kB", "Mem"), std::nullopt);
  EXPECT_EQ(NumberAfter("A: max\n", "A"), std::nullopt);
  EXPECT_EQ(ChosenWord("always [never] deny\n"), "never");
  EXPECT_EQ(ChosenWord("never]["), "");
  EXPECT_EQ(SmallFile("/nonexistent"), "");
  EXPECT_EQ(NumberInFile("/nonexistent"), std::nullopt);
}

TEST(RunProgramTest, ReturnsTheOutput) {
  const Result<std::string> output = RunProgram({"/bin/echo", "hello"}, seconds(30));
  ASSERT_TRUE(output.ok()) << output.status().ToString();
  EXPECT_EQ(*output, "hello\n");
}

TEST(RunProgramTest, ReportsHowItEnded) {
  EXPECT_EQ(RunProgram({"/bin/false"}, seconds(30)).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(RunProgram({"/nonexistent"}, seconds(30)).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(RunProgram({"/bin/sh", "-c", "kill -9 $$"}, seconds(30)).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST(RunProgramTest, KillsWhatDoesNotEnd) {
  EXPECT_EQ(
      RunProgram({"/bin/sh", "-c", "exec tail -f /dev/null"}, milliseconds(50)).status().code(),
      StatusCode::kDeadlineExceeded);
}

TEST(RunProgramTest, KeepsNoMoreThanItSays) {
  const Result<std::string> output =
      RunProgram({"/bin/sh", "-c", "head -c 300000 /dev/zero"}, seconds(30));
  ASSERT_TRUE(output.ok()) << output.status().ToString();
  EXPECT_EQ(output->size(), 64u * 1024);
}

TEST(GatherTest, KnowsTheKernelItRunsOn) {
  const KernelFacts kernel = GatherKernel();
  EXPECT_GE(kernel.major, 5);
  EXPECT_TRUE(kernel.memfd_seals.ok()) << kernel.memfd_seals.ToString();
}

TEST(GatherTest, KnowsTheMemory) {
  const MemoryFacts memory = GatherMemory();
  EXPECT_GT(memory.total, memory.available);
  EXPECT_GT(memory.available, 0u);
  EXPECT_GT(memory.open_files, 0u);
  EXPECT_GT(memory.max_map_count, 0u);
}

TEST(GatherTest, LeavesNoDescriptorOpen) {
  const int before = dup(0);
  GatherKernel();
  GatherMemory();
  GatherHugePages();
  const int after = dup(0);
  EXPECT_EQ(after, before + 1) << "descriptors are given out lowest first";
  close(before);
  close(after);
}

}  // namespace
}  // namespace trims::cli
