// What is handed over, and is not what it should be.
#include "keeper/handed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "keeper/lent_mark.h"
#include "keeper/memfds.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

class HandedTest : public ::testing::Test {
 protected:
  HandedTest() {
    record_.index = KeptFileOf(index_.get(), 5).value();
    record_.extents = {KeptFileOf(first_.get(), 5).value(), KeptFileOf(second_.get(), 6).value()};
  }

  std::vector<UniqueFd> All() const {
    std::vector<UniqueFd> fds;
    for (const UniqueFd* fd : {&second_, &index_, &first_}) fds.push_back(test::Duplicate(*fd));
    return fds;
  }
  void ExpectRefused(std::vector<UniqueFd> fds, const std::string& why) const {
    const Result<ResidentBytes> bytes = CheckHanded(record_, std::move(fds), HugePagePolicy::kBest);
    EXPECT_EQ(bytes.status().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(bytes.status().message(), HasSubstr(why));
  }

  UniqueFd index_ = test::Sealed("index");
  UniqueFd first_ = test::Sealed("first");
  UniqueFd second_ = test::Sealed("second");
  KeptRecord record_;
};

TEST_F(HandedTest, WhatWasRecordedIsFoundInAnyOrderAndMarkedAsLent) {
  record_.load_time = std::chrono::milliseconds(7);
  const Result<ResidentBytes> bytes = CheckHanded(record_, All(), HugePagePolicy::kBest);
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  EXPECT_EQ(test::TextIn(bytes->index.fd.get()), "index");
  EXPECT_EQ(test::TextIn(bytes->extents.at(0).fd.get()), "first");
  EXPECT_EQ(test::TextIn(bytes->extents.at(1).fd.get()), "second");
  EXPECT_EQ(bytes->extents[1].length, 6u);
  EXPECT_EQ(bytes->taken_over_load_time, std::chrono::milliseconds(7));
  EXPECT_TRUE(IsLentByAnother(first_.get())) << "the new open file is marked";
  EXPECT_FALSE(IsLentByAnother(bytes->extents[0].fd.get()));
}

TEST_F(HandedTest, OneTooFewOrTooManyIsRefused) {
  std::vector<UniqueFd> few = All();
  few.pop_back();
  ExpectRefused(std::move(few), "2 descriptors, expected 3");
  std::vector<UniqueFd> many = All();
  many.push_back(test::Sealed("more"));
  ExpectRefused(std::move(many), "4 descriptors, expected 3");
}

TEST_F(HandedTest, AForgedMemfdOfTheSameContentIsRefused) {
  std::vector<UniqueFd> fds = All();
  fds[0] = test::Sealed("second");
  ExpectRefused(std::move(fds), "no descriptor is the memfd");
}

TEST_F(HandedTest, TheSameMemfdTwiceIsRefused) {
  std::vector<UniqueFd> fds = All();
  fds[0] = test::Duplicate(first_);
  ExpectRefused(std::move(fds), "no descriptor is the memfd");
}

TEST_F(HandedTest, OneThatWasChangedSinceIsRefused) {
  ASSERT_EQ(::fchmod(first_.get(), 0400), 0);
  ExpectRefused(All(), "no descriptor is the memfd");
}

TEST_F(HandedTest, AnUnsealedOneIsRefusedEvenIfItWasRecorded) {
  first_ = test::Unsealed("first");
  record_.extents[0] = KeptFileOf(first_.get(), 5).value();
  ExpectRefused(All(), "may still change");
}

TEST_F(HandedTest, AShorterOneIsRefusedEvenIfItWasRecorded) {
  record_.extents[0].length = 4096;
  ExpectRefused(All(), "a memfd of 5 bytes, expected 4096");
}

TEST_F(HandedTest, PagesThatTheDaemonIsNotToUseAreRefused) {
  Result<ExtentWriter> writer =
      ExtentWriter::Create("huge", 2 * kHugePageSize, HugePagePolicy::kNoHugeTlb);
  ASSERT_TRUE(writer.ok());
  const bool huge = writer->pages() == Pages::kTransparentHuge;
  first_ = std::move(std::move(*writer).Seal().value()).TakeFd();
  record_.extents[0] = KeptFileOf(first_.get(), 2 * kHugePageSize).value();
  const Result<ResidentBytes> bytes = CheckHanded(record_, All(), HugePagePolicy::kNoHugeTlb);
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  EXPECT_EQ(bytes->extents[0].pages, huge ? Pages::kTransparentHuge : Pages::kSmall);
  if (!huge) GTEST_SKIP() << "this kernel gives no huge pages";
  EXPECT_THAT(CheckHanded(record_, All(), HugePagePolicy::kSmall).status().message(),
              HasSubstr("--huge-pages excludes"));
}

TEST_F(HandedTest, ASegmentOfOtherLengthsIsNotThatImage) {
  const Result<ResidentBytes> bytes = CheckHanded(record_, All(), HugePagePolicy::kBest);
  ASSERT_TRUE(bytes.ok());
  Image image;
  image.variant.index_length = 5;
  image.variant.extents.resize(2);
  image.variant.extents[0].length = 5;
  image.variant.extents[1].length = 6;
  EXPECT_TRUE(CheckIsOf(image, *bytes).ok());
  image.variant.extents[1].length = 7;
  EXPECT_EQ(CheckIsOf(image, *bytes).code(), StatusCode::kFailedPrecondition);
  image.variant.extents.pop_back();
  EXPECT_EQ(CheckIsOf(image, *bytes).code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace trims
