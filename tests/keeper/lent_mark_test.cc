// The kernel's answers: who has an open file of a memfd, and when the last one has let go.
#include "keeper/lent_mark.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <string>
#include <utility>

#include "base/mapping.h"
#include "keeper/close_watch.h"
#include "keeper/memfds.h"

namespace trims {
namespace {

class LentMarkTest : public ::testing::Test {
 protected:
  const UniqueFd kept_ = test::Sealed("bytes");
};

TEST_F(LentMarkTest, AMarkIsSeenThroughOtherOpenFilesAlone) {
  EXPECT_FALSE(IsLentByAnother(kept_.get()));
  const UniqueFd lent = test::Again(kept_);
  ASSERT_TRUE(MarkLent(lent.get()).ok());
  EXPECT_TRUE(IsLentByAnother(kept_.get()));
  EXPECT_FALSE(IsLentByAnother(lent.get()));
  EXPECT_FALSE(IsLentByAnother(test::Duplicate(lent).get())) << "the same open file";
}

TEST_F(LentMarkTest, AMappingAloneKeepsIt) {
  Mapping mapping;
  {
    const UniqueFd lent = test::Again(kept_);
    ASSERT_TRUE(MarkLent(lent.get()).ok());
    mapping = Mapping::OfFile(lent.get(), 5, PROT_READ).value();
  }
  EXPECT_TRUE(IsLentByAnother(kept_.get()));
  mapping = Mapping();
  EXPECT_FALSE(IsLentByAnother(kept_.get()));
}

TEST_F(LentMarkTest, EachGenerationIsSeenByTheNext) {
  UniqueFd first = test::Again(kept_);
  UniqueFd second = test::Again(kept_);
  const UniqueFd third = test::Again(kept_);
  for (const UniqueFd* fd : {&std::as_const(first), &std::as_const(second), &third})
    ASSERT_TRUE(MarkLent(fd->get()).ok());
  EXPECT_TRUE(IsLentByAnother(third.get()));
  first.reset();
  EXPECT_TRUE(IsLentByAnother(third.get()));
  second.reset();
  EXPECT_FALSE(IsLentByAnother(third.get()));
}

bool Told(const CloseWatch& closes, int patience_ms) {
  pollfd waited{.fd = closes.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, patience_ms) == 1;
}

TEST_F(LentMarkTest, TheLastCloseIsTold) {
  const auto closes = CloseWatch::Create();
  ASSERT_TRUE(closes.ok()) << closes.status().ToString();
  UniqueFd lent = test::Again(kept_);
  Mapping mapping = Mapping::OfFile(lent.get(), 5, PROT_READ).value();
  const Result<int> watch = (*closes)->Add(kept_.get());
  ASSERT_TRUE(watch.ok());
  lent.reset();
  EXPECT_FALSE(Told(**closes, 0)) << "it is still mapped";
  mapping = Mapping();
  EXPECT_TRUE(Told(**closes, 20'000));
  (*closes)->Clear();
  EXPECT_FALSE(Told(**closes, 0));
  (*closes)->Remove(*watch);
  (*closes)->Clear();
  test::Again(kept_).reset();
  EXPECT_FALSE(Told(**closes, 0));
}

}  // namespace
}  // namespace trims
