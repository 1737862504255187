#include "store/memory_pressure.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "base/fault.h"
#include "loop/fd_poller.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

TEST(PressureStepTest, IsAnEighthOfTheBudgetAndNeverGoesBeneathTheFloor) {
  EXPECT_EQ(PressureStep(800, 0, 800), 100u);
  EXPECT_EQ(PressureStep(800, 750, 800), 50u);
  EXPECT_EQ(PressureStep(800, 800, 800), 0u);
  EXPECT_EQ(PressureStep(10, 800, 800), 0u);
  EXPECT_EQ(PressureStep(3, 0, 3), 1u) << "a small budget shrinks as well";
}

TEST(PressureFileTest, ItsOwnGroupComesBeforeTheMachine) {
  test::ScratchFolder root;
  root.Write("proc/self/cgroup", "4:memory:/old\n0::/system.slice/trimsd.service\n");
  EXPECT_EQ(FindPressureFile(root.path()).status().code(), StatusCode::kUnimplemented);
  root.Write("proc/pressure/memory", "");
  EXPECT_EQ(FindPressureFile(root.path()).value(), root.path() + "/proc/pressure/memory");
  const std::string own = "sys/fs/cgroup/system.slice/trimsd.service/memory.pressure";
  root.Write(own, "");
  EXPECT_EQ(FindPressureFile(root.path()).value(), root / own);
  root.Write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(FindPressureFile(root.path()).value(), root.path() + "/proc/pressure/memory")
      << "the root's group is the machine";
}

class MemoryPressureTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<MemoryPressure>> Watch(const std::string& path) {
    return MemoryPressure::Watch(poller_.get(), path, [this] { ++events_; });
  }

  const test::ScratchFolder folder_;
  const std::string fifo_ = folder_ / "pressure";
  std::unique_ptr<FdPoller> poller_ = FdPoller::Create().value();
  int events_ = 0;
};

TEST_F(MemoryPressureTest, EachEventIsToldOnce) {
  ASSERT_EQ(::mkfifo(fifo_.c_str(), 0600), 0);
  auto pressure = Watch(fifo_);
  ASSERT_TRUE(pressure.ok()) << pressure.status().ToString();
  poller_->RunBatch();
  EXPECT_EQ(events_, 0);
  const UniqueFd kernel(::open(fifo_.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::write(kernel.get(), "..", 2), 2);
  for (int i = 0; i < 4; ++i) poller_->RunBatch();
  EXPECT_EQ(events_, 2);
}

TEST_F(MemoryPressureTest, WhatCanNotBeHadIsATypedError) {
  EXPECT_EQ(Watch(folder_ / "none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(CheckPressureFile(folder_ / "none").code(), StatusCode::kNotFound);
  ASSERT_EQ(::mkfifo(fifo_.c_str(), 0600), 0);
  EXPECT_TRUE(CheckPressureFile(fifo_).ok());
  const fault::ScopedPlan plan({.op = fault::Op::kOpen, .nth = 1, .error = EACCES});
  EXPECT_EQ(Watch(fifo_).status().code(), StatusCode::kPermissionDenied);
}

TEST_F(MemoryPressureTest, AFileThatIsNotTheKernelsIsNotWrittenTo) {
  const std::string model = folder_ / "model";
  std::ofstream(model) << "weights";
  EXPECT_EQ(Watch(model).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckPressureFile(model).code(), StatusCode::kFailedPrecondition);
  std::string content;
  std::getline(std::ifstream(model), content);
  EXPECT_EQ(content, "weights");
}

TEST_F(MemoryPressureTest, TheKernelsOwnFileGivesATriggerWhereThereIsOne) {
  const Result<std::string> path = FindPressureFile();
  if (!path.ok() || !CheckPressureFile(*path).ok()) GTEST_SKIP() << "no PSI for this process";
  const auto pressure = Watch(*path);
  ASSERT_TRUE(pressure.ok()) << pressure.status().ToString();
}

}  // namespace
}  // namespace trims
