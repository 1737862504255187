#include "load/copy_journal.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "support/content.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

class CopyJournalTest : public ::testing::Test {
 protected:
  // As the next one finds it.
  CopyReach Reached() const {
    const Result<CopyJournal> journal = CopyJournal::Open(folder_.path());
    EXPECT_TRUE(journal.ok()) << journal.status().ToString();
    return journal.ok() ? journal->reached() : CopyReach();
  }
  void Write(const std::string& text) const { folder_.Write(".unfinished-journal", text); }

  test::ScratchFolder folder_;
};

TEST_F(CopyJournalTest, TellsTheNextOneHowFarItCame) {
  {
    CopyJournal journal = *CopyJournal::Open(folder_.path());
    EXPECT_EQ(journal.reached(), CopyReach());
    ASSERT_TRUE(journal.StartAnew().ok());
    journal.Note({.extent = 0, .end = 4096});
    journal.Note({.extent = 1, .end = 100});
  }
  EXPECT_EQ(Reached(), (CopyReach{1, 100}));
  {
    CopyJournal journal = *CopyJournal::Open(folder_.path());
    journal.Note({.extent = 1, .end = 200});
  }
  EXPECT_EQ(Reached(), (CopyReach{1, 200}));
  ASSERT_TRUE(CopyJournal::Open(folder_.path())->StartAnew().ok());
  EXPECT_EQ(Reached(), CopyReach());
}

TEST_F(CopyJournalTest, OneCopyIsWrittenAtATime) {
  const Result<CopyJournal> one = CopyJournal::Open(folder_.path());
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(CopyJournal::Open(folder_.path()).status().code(), StatusCode::kAlreadyExists);
}

TEST_F(CopyJournalTest, WhatIsTornOrNoneCountsForNothing) {
  Write("trims-copy 1\n0 4096\n0 81");
  EXPECT_EQ(Reached(), (CopyReach{0, 4096}));
  Write("trims-copy 1\n0 4096\nx 1\n0 9999\n");
  EXPECT_EQ(Reached(), (CopyReach{0, 4096}));
  for (const char* text : {"", "trims-copy 2\n0 1\n", "trims-copy 1\n-1 5\n", "trims-copy 1\n5\n",
                           "trims-copy 1\n1 2 3\n", "trims-copy 1\n1 99999999999999999999\n"}) {
    Write(text);
    EXPECT_EQ(Reached(), CopyReach()) << text;
  }
}

TEST(CopyReachTest, CoversWhatCameBefore) {
  const CopyReach reach{1, 100};
  EXPECT_TRUE(reach.Covers(0, UINT64_MAX));
  EXPECT_TRUE(reach.Covers(1, 100));
  EXPECT_FALSE(reach.Covers(1, 101));
  EXPECT_FALSE(reach.Covers(2, 0));
}

}  // namespace
}  // namespace trims
