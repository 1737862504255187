#include "tools/trimsd/pages_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trims::daemon {
namespace {

using ::testing::HasSubstr;

TEST(PagesAdviceTest, HugePagesOfEitherKindAreNoNews) {
  for (const HugePagePolicy policy : {HugePagePolicy::kBest, HugePagePolicy::kNoHugeTlb}) {
    EXPECT_EQ(PagesAdvice(Pages::kTransparentHuge, policy), "");
    EXPECT_EQ(PagesAdvice(Pages::kHugeTlb, policy), "");
  }
}

TEST(PagesAdviceTest, SmallPagesThatNobodyAskedForAre) {
  EXPECT_THAT(PagesAdvice(Pages::kSmall, HugePagePolicy::kBest), HasSubstr("shmem_enabled"));
  EXPECT_EQ(PagesAdvice(Pages::kSmall, HugePagePolicy::kSmall), "");
}

TEST(ProbePagesTest, TheAdviceIsThatForThePagesFound) {
  const Result<PagesProbe> probe = ProbePages(HugePagePolicy::kBest);
  ASSERT_TRUE(probe.ok()) << probe.status().ToString();
  EXPECT_EQ(probe->advice, PagesAdvice(probe->pages, HugePagePolicy::kBest));
}

}  // namespace
}  // namespace trims::daemon
