#include "base/direct_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/fault.h"
#include "base/mapping.h"
#include "base/sys.h"
#include "support/content.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

class DirectFileTest : public ::testing::Test {
 protected:
  DirectFileTest()
      : memory_(Mapping::OfFile(MakeMemory().get(), kBytes, PROT_READ | PROT_WRITE).value()),
        file_(sys::Open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), path_) {
    const std::string content = test::Content(kBytes);
    std::copy(content.begin(), content.end(), reinterpret_cast<char*>(memory_.data()));
  }
  static UniqueFd MakeMemory() {
    UniqueFd fd = sys::MemfdCreate("bytes", 0);
    EXPECT_EQ(sys::Ftruncate(fd.get(), kBytes), 0);
    return fd;
  }
  std::string Text(size_t begin, size_t length) const {
    return {reinterpret_cast<const char*>(memory_.data()) + begin, length};
  }

  static constexpr size_t kBytes = 10 * kPageSize;
  test::ScratchFolder folder_;
  const std::string path_ = folder_ / "file";
  const Mapping memory_;
  const DirectFile file_;
};

TEST_F(DirectFileTest, WholePagesAndWhatIsBesideThem) {
  ASSERT_TRUE(file_.WriteAt(memory_.bytes().first(3 * kPageSize + 100), 0));
  EXPECT_TRUE(test::TextOf(path_) == Text(0, 3 * kPageSize + 100));
  ASSERT_TRUE(file_.WriteAt(memory_.bytes().subspan(50, 2 * kPageSize), 3 * kPageSize + 100));
  EXPECT_TRUE(test::TextOf(path_) == Text(0, 3 * kPageSize + 100) + Text(50, 2 * kPageSize));
  EXPECT_TRUE(file_.WriteAt({}, 0));
}

TEST_F(DirectFileTest, WhatCantBeWrittenDirectlyGoesThroughThePageCache) {
  const fault::ScopedPlan plan({.op = fault::Op::kWrite, .nth = 1, .error = EINVAL});
  EXPECT_TRUE(file_.WriteAt(memory_.bytes(), 0));
  EXPECT_TRUE(test::TextOf(path_) == Text(0, kBytes));
}

TEST_F(DirectFileTest, AFullDiskIsSaid) {
  const fault::ScopedPlan plan({.op = fault::Op::kWrite, .nth = 1, .error = ENOSPC, .count = 2});
  EXPECT_FALSE(file_.WriteAt(memory_.bytes(), 0));
  EXPECT_EQ(errno, ENOSPC);
}

}  // namespace
}  // namespace trims
