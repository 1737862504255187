// Which of the fetches that were cut off are kept for the next to go on with.
#include "store/unfinished_fetches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "store/prepared_folders.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using prepared::ClearUnfinished;
using prepared::UnfinishedFetch;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const fs::file_time_type kNow = fs::file_time_type::clock::now();

std::vector<std::string> Gone(const std::vector<UnfinishedFetch>& found, uint64_t most) {
  std::vector<std::string> names;
  for (const UnfinishedFetch& fetch : prepared::TooOldOrMany(found, most, kNow))
    names.push_back(fetch.folder);
  return names;
}

TEST(TooOldOrManyTest, TheNewestStayAsFarAsThereIsRoom) {
  const std::vector<UnfinishedFetch> found = {{"old", 5, kNow - std::chrono::hours(3)},
                                              {"new", 5, kNow},
                                              {"large", 100, kNow - std::chrono::hours(1)},
                                              {"between", 5, kNow - std::chrono::hours(2)}};
  EXPECT_THAT(Gone(found, 115), IsEmpty());
  EXPECT_THAT(Gone(found, 114), ElementsAre("old"));
  EXPECT_THAT(Gone(found, 15), ElementsAre("large"));
  EXPECT_THAT(Gone(found, 10), ElementsAre("large", "old"));
  EXPECT_THAT(Gone(found, 0), UnorderedElementsAre("large", "old", "new", "between"));
}

TEST(TooOldOrManyTest, WhatNobodyHasTouchedForDaysGoes) {
  const auto days = std::chrono::days(prepared::kDownloadDays);
  EXPECT_THAT(Gone({{"a", 1, kNow - days}, {"b", 1, kNow - days - std::chrono::hours(1)}}, 100),
              ElementsAre("b"));
}

class ClearUnfinishedTest : public ::testing::Test {
 protected:
  void Age(const std::string& path) const {
    fs::last_write_time(scratch_ / path, kNow - std::chrono::days(prepared::kDownloadDays + 1));
  }
  bool IsThere(const std::string& path) const { return fs::exists(scratch_ / path); }

  ScratchFolder scratch_;
  const std::string copy_ = "files-" + std::string(32, 'a');
  const std::string download_ = prepared::DownloadName("https://models.example/a");
};

TEST_F(ClearUnfinishedTest, CopiesAndDownloadsStayWhileTheyAreYoung) {
  scratch_.Write(copy_ + "/index", "index");
  scratch_.Write(copy_ + "/.unfinished-0", "12345");
  scratch_.Write(copy_ + "/.unfinished-journal", "j");
  scratch_.Write(download_ + "/partial/0.part", "123");
  EXPECT_THAT(ClearUnfinished(scratch_.path(), {copy_}),
              UnorderedElementsAre(Pair(copy_, 6), Pair(download_, 3)));
  Age(copy_ + "/.unfinished-journal");
  Age(download_);
  EXPECT_THAT(ClearUnfinished(scratch_.path(), {copy_}), IsEmpty());
  EXPECT_TRUE(IsThere(copy_ + "/index"));
  EXPECT_FALSE(IsThere(copy_ + "/.unfinished-0"));
  EXPECT_FALSE(IsThere(copy_ + "/.unfinished-journal"));
  EXPECT_FALSE(IsThere(download_));
}

TEST_F(ClearUnfinishedTest, WhatNobodyCanGoOnWithGoes) {
  scratch_.Write(copy_ + "/.unfinished-0", "12345");
  scratch_.Write(download_ + "/files/none", "");
  scratch_.Write("others/.unfinished-0", "not of the store");
  EXPECT_THAT(ClearUnfinished(scratch_.path(), {copy_}), IsEmpty());
  EXPECT_FALSE(IsThere(copy_ + "/.unfinished-0"));
  EXPECT_FALSE(IsThere(download_));
  EXPECT_TRUE(IsThere("others/.unfinished-0"));
}

}  // namespace
}  // namespace trims::test
