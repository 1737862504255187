// Writing is impossible: what a client receives, tried in every way, as root and without
// privileges.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>

#include "store/host_memory.h"

namespace trims {
namespace {

constexpr uint64_t kLength = (uint64_t{4} << 20) + 4096;

SealedExtent Sealed(HugePagePolicy policy) {
  Result<ExtentWriter> writer = ExtentWriter::Create("sealed", kLength, policy);
  writer->data()[0] = std::byte{42};
  return *std::move(*writer).Seal();
}

// Runs `attempt` in a child, after it became another user where this one is root. What it returns
// must be a small number: 0 is "all refused", others name the attempt that went through.
int InChild(bool drop_privileges, const std::function<int()>& attempt) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (drop_privileges && ::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) {
      ::_exit(100);
    }
    ::_exit(attempt());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

bool CanMapWritable(int fd) {
  return ::mmap(nullptr, kLength, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED;
}

bool CanMakeMappingWritable(int fd) {
  void* const mapped = ::mmap(nullptr, kLength, PROT_READ, MAP_SHARED, fd, 0);
  return mapped != MAP_FAILED && ::mprotect(mapped, kLength, PROT_READ | PROT_WRITE) == 0;
}

bool CanWrite(int fd) { return ::pwrite(fd, "x", 1, 0) != -1 || ::write(fd, "x", 1) != -1; }

bool CanResize(int fd) {
  return ::ftruncate(fd, 0) == 0 || ::ftruncate(fd, kLength * 2) == 0 ||
         ::fallocate(fd, 0, 0, kLength * 2) == 0 ||
         ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0 ||
         ::fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096) == 0;
}

bool CanUnseal(int fd) { return ::fcntl(fd, F_ADD_SEALS, 0) == 0; }

// 0, or which attempt succeeded.
int TryToChange(int fd) {
  if (CanMapWritable(fd)) return 1;
  if (CanMakeMappingWritable(fd)) return 2;
  if (CanWrite(fd)) return 3;
  if (CanResize(fd)) return 4;
  if (CanUnseal(fd)) return 5;
  return 0;
}

// As TryToChange, through a new open file of the same inode. Root may open it, and gains nothing.
int TryToReopenAndChange(int fd, bool may_open) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  for (const int flags : {O_RDWR, O_WRONLY, O_RDWR | O_TRUNC, O_WRONLY | O_APPEND}) {
    const int again = ::open(path.c_str(), flags | O_CLOEXEC);
    if (again < 0) continue;
    if (!may_open) return 10;
    const int changed = TryToChange(again);
    if (changed != 0) return 10 + changed;
  }
  struct stat found = {};
  if (::fstat(fd, &found) != 0 || static_cast<uint64_t>(found.st_size) < kLength) return 20;
  return 0;
}

class SealedExtentTest : public ::testing::TestWithParam<HugePagePolicy> {};

TEST_P(SealedExtentTest, CanNotBeChangedThroughTheDescriptor) {
  const SealedExtent extent = Sealed(GetParam());
  EXPECT_EQ(InChild(false, [&] { return TryToChange(extent.read_only_fd()); }), 0);
  EXPECT_EQ(InChild(true, [&] { return TryToChange(extent.read_only_fd()); }), 0);
}

TEST_P(SealedExtentTest, CanNotBeChangedThroughAReopenEvenByRoot) {
  const SealedExtent extent = Sealed(GetParam());
  EXPECT_EQ(InChild(false, [&] { return TryToReopenAndChange(extent.read_only_fd(), true); }), 0);
}

TEST_P(SealedExtentTest, CanNotBeReopenedForWritingWithoutPrivileges) {
  const SealedExtent extent = Sealed(GetParam());
  EXPECT_EQ(InChild(true, [&] { return TryToReopenAndChange(extent.read_only_fd(), false); }), 0);
}

TEST_P(SealedExtentTest, CanBeReopenedForReadingByAnyUser) {
  const SealedExtent extent = Sealed(GetParam());
  const int read = InChild(true, [&] {
    const std::string path = "/proc/self/fd/" + std::to_string(extent.read_only_fd());
    const int again = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char first = 0;
    return ::pread(again, &first, 1, 0) == 1 && first == 42 ? 0 : 1;
  });
  EXPECT_EQ(read, 0);
}

TEST_P(SealedExtentTest, HasAllSealsAndOnlyReadsAndClosesOnExec) {
  const SealedExtent extent = Sealed(GetParam());
  const int all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  EXPECT_EQ(::fcntl(extent.read_only_fd(), F_GET_SEALS) & all, all);
  EXPECT_EQ(::fcntl(extent.read_only_fd(), F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(::fcntl(extent.read_only_fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

INSTANTIATE_TEST_SUITE_P(Pages, SealedExtentTest,
                         ::testing::Values(HugePagePolicy::kBest, HugePagePolicy::kSmall));

TEST(SealedCopyImmutableTest, AsAnExtentIs) {
  const std::string bytes(kLength, 'x');
  const Result<SealedExtent> copy = SealedCopy("copy", std::as_bytes(std::span(bytes)));
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ(InChild(false, [&] { return TryToChange(copy->read_only_fd()); }), 0);
  EXPECT_EQ(InChild(true, [&] { return TryToReopenAndChange(copy->read_only_fd(), false); }), 0);
}

// The attempts themselves work: on a memfd without seals each of them goes through.
TEST(SealedExtentControlTest, AnUnsealedOneCanBeChanged) {
  const int fd = ::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_EQ(::ftruncate(fd, kLength), 0);
  for (const auto& attempt :
       {CanMapWritable, CanMakeMappingWritable, CanWrite, CanUnseal, CanResize}) {
    EXPECT_EQ(InChild(false, [&] { return attempt(fd) ? 0 : 1; }), 0);
  }
  ::close(fd);
}

}  // namespace
}  // namespace trims
