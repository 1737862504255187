#include "store/machine_memory.h"

#include <gtest/gtest.h>

#include "support/scratch_folder.h"

namespace trims {
namespace {

constexpr uint64_t kMegabyte = uint64_t{1} << 20;

class MachineMemoryTest : public ::testing::Test {
 protected:
  MachineMemoryTest() {
    root_.Write("proc/meminfo",
                "MemTotal:        1048576 kB\nMemFree: 1 kB\nMemAvailable:     524288 kB\n");
  }
  test::ScratchFolder root_;
};

TEST_F(MachineMemoryTest, WithoutGroupsItIsTheMachines) {
  const MachineMemory memory = ReadMachineMemory(root_.path());
  EXPECT_EQ(memory.total, 1024 * kMegabyte);
  EXPECT_EQ(memory.available, 512 * kMegabyte);
}

TEST_F(MachineMemoryTest, NothingToReadIsNothing) {
  const test::ScratchFolder empty;
  EXPECT_EQ(ReadMachineMemory(empty.path()).total, 0u);
}

TEST_F(MachineMemoryTest, Version2LimitsByTheLowestOfAllGroupsAbove) {
  root_.Write("proc/self/cgroup", "0::/a/b\n");
  root_.Write("sys/fs/cgroup/a/memory.max", std::to_string(100 * kMegabyte) + "\n");
  root_.Write("sys/fs/cgroup/a/memory.current", std::to_string(60 * kMegabyte) + "\n");
  root_.Write("sys/fs/cgroup/a/memory.stat",
              "anon 5\ninactive_file " + std::to_string(10 * kMegabyte) + "\n");
  root_.Write("sys/fs/cgroup/a/b/memory.max", "max\n");
  const MachineMemory memory = ReadMachineMemory(root_.path());
  EXPECT_EQ(memory.total, 100 * kMegabyte);
  EXPECT_EQ(memory.available, 50 * kMegabyte) << "the cache counts as available";
}

TEST_F(MachineMemoryTest, Version1LimitsToo) {
  root_.Write("proc/self/cgroup", "5:cpu,memory:/x\n4:memoryless:/\n0::/\n");
  root_.Write("sys/fs/cgroup/memory/x/memory.limit_in_bytes",
              std::to_string(64 * kMegabyte) + "\n");
  root_.Write("sys/fs/cgroup/memory/x/memory.usage_in_bytes",
              std::to_string(70 * kMegabyte) + "\n");
  const MachineMemory memory = ReadMachineMemory(root_.path());
  EXPECT_EQ(memory.total, 64 * kMegabyte);
  EXPECT_EQ(memory.available, 0u);
}

TEST_F(MachineMemoryTest, AContainerSeesItsOwnGroupAsTheRoot) {
  root_.Write("proc/self/cgroup", "0::/docker/0123\n");
  root_.Write("sys/fs/cgroup/memory.max", std::to_string(32 * kMegabyte) + "\n");
  EXPECT_EQ(ReadMachineMemory(root_.path()).total, 32 * kMegabyte);
}

TEST_F(MachineMemoryTest, Version1WithoutLimitIsNoLimit) {
  root_.Write("proc/self/cgroup", "3:memory:/\n");
  root_.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(ReadMachineMemory(root_.path()).total, 1024 * kMegabyte);
}

TEST_F(MachineMemoryTest, GarbageIsNoLimit) {
  root_.Write("proc/self/cgroup", "\n:\n::\n0::relative\n0::/a\n");
  root_.Write("sys/fs/cgroup/a/memory.max", "lots\n");
  EXPECT_EQ(ReadMachineMemory(root_.path()).total, 1024 * kMegabyte);
}

}  // namespace
}  // namespace trims
