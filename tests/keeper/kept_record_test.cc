// What is written down of a kept segment, and what is made of a file that says something else.
#include "keeper/kept_record.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "keeper/memfds.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

KeptRecord SomeRecord() {
  const KeptFile file{.device = 1,
                      .inode = 4711,
                      .changed_seconds = 1'795'771'749,
                      .changed_nanoseconds = 7,
                      .length = 5};
  KeptRecord record{.load_time = std::chrono::microseconds(42),
                    .model = "team/ocr:v1",
                    .index = file,
                    .extents = {file}};
  record.extents.push_back(file);
  record.extents.back().inode = UINT64_MAX;
  return record;
}

TEST(KeptRecordTest, WhatWasFormattedIsParsedToTheSame) {
  const Result<KeptRecord> again = ParseKeptRecord(FormatKeptRecord(SomeRecord()));
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(*again, SomeRecord());
}

TEST(KeptRecordTest, OneOfBeforeHasNoModel) {
  KeptRecord before = SomeRecord();
  before.model.clear();
  EXPECT_EQ(ParseKeptRecord(FormatKeptRecord(before)).value(), before);
}

TEST(KeptRecordTest, EachCutIsRefusedOrEndsAfterALine) {
  const std::string whole = FormatKeptRecord(SomeRecord());
  for (size_t size = 0; size < whole.size(); ++size) {
    const Result<KeptRecord> cut = ParseKeptRecord(whole.substr(0, size));
    if (!cut.ok()) continue;
    EXPECT_LT(cut->extents.size(), SomeRecord().extents.size());
    EXPECT_EQ(whole[size - 1], '\n') << size;
  }
}

TEST(KeptRecordTest, WhatIsNoRecordIsRefused) {
  const std::string good = FormatKeptRecord(SomeRecord());
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string(), std::string("trims-kept 2\n"), with("load_us 42", "load_us -1"),
        with("load_us 42", "load_us 42 1"), with("4711", "4711x"), with("4711", ""),
        with("4711", "99999999999999999999"), with(" 5\n", " 0\n"), with("extent", "index"),
        with("extent", "extant"), good + "extent 1 2 3 4 5 6\n", good + "\n"}) {
    EXPECT_EQ(ParseKeptRecord(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  std::string many = good;
  for (int i = 0; i < 300; ++i) many += "extent 1 2 3 4 5\n";
  EXPECT_FALSE(ParseKeptRecord(many).ok());
}

TEST(KeptRecordTest, AFileIsKnownByItsInodeAndChangedByItsMode) {
  const UniqueFd one = test::Sealed("same");
  const UniqueFd two = test::Sealed("same");
  const KeptFile file = KeptFileOf(one.get(), 4).value();
  EXPECT_EQ(KeptFileOf(test::Again(one).get(), 4).value(), file);
  EXPECT_NE(KeptFileOf(two.get(), 4).value(), file);
  ASSERT_EQ(::fchmod(one.get(), 0400), 0);
  EXPECT_NE(KeptFileOf(one.get(), 4).value(), file);
}

TEST(KeptRecordTest, RecordsAreFilesThatComeAndGo) {
  const test::ScratchFolder folder;
  const KeptRecords records(folder / "kept");
  ASSERT_TRUE(records.MakeFolder().ok());
  ASSERT_TRUE(records.MakeFolder().ok());
  EXPECT_EQ(records.Read(test::kLabelA).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(records.Write(test::kLabelA, SomeRecord()).ok());
  ASSERT_TRUE(records.Write(test::kLabelB, SomeRecord()).ok());
  EXPECT_EQ(records.Read(test::kLabelA).value(), SomeRecord());
  folder.Write("kept/" + test::kLabelA + ".new", "torn");
  records.RemoveAllBut({test::kLabelB});
  EXPECT_EQ(records.Read(test::kLabelA).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(records.Read(test::kLabelB).ok());
  records.Remove(test::kLabelB);
  EXPECT_TRUE(std::filesystem::is_empty(folder / "kept"));
}

}  // namespace
}  // namespace trims
