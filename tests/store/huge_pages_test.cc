#include "store/huge_pages.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/fault.h"
#include "base/mapping.h"

namespace trims {
namespace {

TEST(ProbeHugePagesTest, SaysWhyAndWhatToDo) {
  const HugePageSupport support = ProbeHugePages();
  EXPECT_NE(support.reason, "");
  EXPECT_EQ(support.pages == Pages::kSmall, !support.mend.empty());
}

TEST(ProbeHugePagesTest, AKernelThatRefusesHasSmallPagesAndACommandThatMendsIt) {
  if (FreeHugeTlbBytes() > 0) GTEST_SKIP() << "this machine has a hugetlb pool";
  const fault::ScopedPlan plan(
      {.op = fault::Op::kMadvise, .nth = 1, .error = EINVAL, .count = 1000});
  const HugePageSupport support = ProbeHugePages();
  EXPECT_EQ(support.pages, Pages::kSmall);
  EXPECT_NE(support.reason, "");
  EXPECT_NE(support.mend, "");
}

TEST(IsMappedHugeTest, OrdinaryMemoryIsNot) {
  const Result<Mapping> range = Mapping::Reserve(kHugePageSize, kHugePageSize);
  ASSERT_TRUE(range.ok());
  EXPECT_FALSE(IsMappedHuge(range->data(), kHugePageSize));
  EXPECT_FALSE(IsMappedHuge(range->data() + 4096, 4096)) << "no mapping starts there";
}

}  // namespace
}  // namespace trims
