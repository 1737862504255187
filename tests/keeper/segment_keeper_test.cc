// From one daemon to the next, with a keeper that only remembers.
#include "keeper/segment_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "keeper/memfds.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

// What outlives the daemons of a test.
struct Memory {
  std::map<std::string, std::vector<UniqueFd>> segments;
  Status answer;  // to all that is asked
};

class RememberingKeeper final : public DescriptorKeeper {
 public:
  explicit RememberingKeeper(Memory* memory) : memory_(*memory) {}
  std::string_view name() const override { return "memory"; }
  Result<std::vector<KeptDescriptors>> TakeHeld() override {
    std::vector<KeptDescriptors> all;
    for (const auto& [label, fds] : memory_.segments) {
      all.push_back({.label = label, .fds = {}});
      for (const UniqueFd& fd : fds) all.back().fds.push_back(test::Duplicate(fd));
    }
    return all;
  }
  Status Keep(const std::string& label, std::span<const int> fds) override {
    if (!memory_.answer.ok()) return memory_.answer;
    std::vector<UniqueFd> kept;
    for (const int fd : fds) kept.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    memory_.segments[label] = std::move(kept);
    return Status();
  }
  Status Drop(const std::string& label) override {
    memory_.segments.erase(label);
    return memory_.answer;
  }
  Status End() override { return memory_.segments.clear(), Status(); }

 private:
  Memory& memory_;
};

Image ImageOf(const std::string& key) {
  Image image;
  image.reference = "default/" + key;
  image.key = key;
  image.variant.index_length = 5;
  image.variant.extents.resize(1);
  image.variant.extents[0].length = 5;
  return image;
}

ResidentBytes SomeBytes() {
  ResidentBytes bytes;
  bytes.index = {.fd = test::Sealed("index"), .length = 5};
  bytes.extents.push_back({.fd = test::Sealed("bytes"), .length = 5});
  return bytes;
}

class SegmentKeeperTest : public ::testing::Test {
 protected:
  std::unique_ptr<SegmentKeeper> Start() {
    Result<std::unique_ptr<SegmentKeeper>> keeper = SegmentKeeper::Start(
        {.records = folder_ / "kept"}, std::make_unique<RememberingKeeper>(&memory_));
    EXPECT_TRUE(keeper.ok()) << keeper.status().ToString();
    return *std::move(keeper);
  }
  bool NoRecords() const { return std::filesystem::is_empty(folder_ / "kept"); }

  const test::ScratchFolder folder_;
  Memory memory_;
  const Image image_ = ImageOf("files//a");
};

TEST_F(SegmentKeeperTest, WhatADaemonKeptTheNextOneTakesOnce) {
  {
    ResidentBytes bytes = SomeBytes();
    Start()->Keep(image_, std::chrono::seconds(2), &bytes);
  }
  const auto next = Start();
  EXPECT_TRUE(next->IsHanded(image_));
  EXPECT_FALSE(next->IsHanded(ImageOf("files//b")));
  EXPECT_FALSE(next->IsHandedAndLent(image_)) << "nobody has it open";
  std::optional<ResidentBytes> bytes = next->TakeHanded(image_);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(test::TextIn(bytes->extents.at(0).fd.get()), "bytes");
  EXPECT_EQ(bytes->taken_over_load_time, std::chrono::seconds(2));
  EXPECT_FALSE(next->TakeHanded(image_).has_value());
  EXPECT_EQ(memory_.segments.size(), 1u) << "it is kept on";
  next->LetGo(*bytes);
  EXPECT_TRUE(memory_.segments.empty());
  EXPECT_TRUE(NoRecords());
}

TEST_F(SegmentKeeperTest, WhoHasItOpenIsSeen) {
  ResidentBytes bytes = SomeBytes();
  Start()->Keep(image_, {}, &bytes);
  UniqueFd client = test::Duplicate(bytes.extents[0].fd);
  bytes = {};
  EXPECT_TRUE(Start()->IsHandedAndLent(image_));
  client.reset();
  EXPECT_FALSE(Start()->IsHandedAndLent(image_));
}

TEST_F(SegmentKeeperTest, ALabelThatIsNoneNamesNoFile) {
  const std::string catalog = folder_ / "catalog.db";
  std::ofstream(catalog) << "models";
  memory_.segments["../catalog.db"].push_back(test::Sealed("forged"));
  const auto keeper = Start();
  EXPECT_FALSE(keeper->IsHanded(image_));
  EXPECT_TRUE(std::filesystem::exists(catalog));
  const KeptRecords records(folder_ / "kept");
  EXPECT_EQ(records.Read("../catalog.db").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(records.Write("../catalog.db", {}).code(), StatusCode::kInvalidArgument);
  records.Remove("../catalog.db");
  EXPECT_TRUE(std::filesystem::exists(catalog));
}

TEST_F(SegmentKeeperTest, WithoutItsRecordNothingIsTrusted) {
  ResidentBytes bytes = SomeBytes();
  Start()->Keep(image_, {}, &bytes);
  std::filesystem::remove(folder_.path() + "/kept/" + bytes.kept_as);
  EXPECT_FALSE(Start()->IsHanded(image_));
  EXPECT_TRUE(memory_.segments.empty()) << "and it is dropped";
}

TEST_F(SegmentKeeperTest, AForgedOneIsDroppedAndTheOthersStay) {
  ResidentBytes bytes = SomeBytes();
  ResidentBytes other = SomeBytes();
  const Image other_image = ImageOf("files//b");
  {
    const auto first = Start();
    first->Keep(image_, {}, &bytes);
    first->Keep(other_image, {}, &other);
  }
  memory_.segments[bytes.kept_as][1] = test::Sealed("BYTES");
  const auto next = Start();
  EXPECT_FALSE(next->IsHanded(image_));
  EXPECT_TRUE(next->IsHanded(other_image));
  EXPECT_EQ(memory_.segments.size(), 1u);
}

TEST_F(SegmentKeeperTest, OneOfAnotherSegmentsLabelIsRefused) {
  ResidentBytes bytes = SomeBytes();
  ResidentBytes other = SomeBytes();
  {
    const auto first = Start();
    first->Keep(image_, {}, &bytes);
    first->Keep(ImageOf("files//b"), {}, &other);
  }
  std::swap(memory_.segments[bytes.kept_as], memory_.segments[other.kept_as]);
  EXPECT_FALSE(Start()->IsHanded(image_));
}

TEST_F(SegmentKeeperTest, AnImageOfOtherLengthsTakesNothing) {
  ResidentBytes bytes = SomeBytes();
  Start()->Keep(image_, {}, &bytes);
  Image longer = image_;
  longer.variant.extents[0].length = 6;
  EXPECT_FALSE(Start()->TakeHanded(longer).has_value());
  EXPECT_TRUE(memory_.segments.empty());
}

TEST_F(SegmentKeeperTest, WhatNobodyWantsIsDropped) {
  ResidentBytes bytes = SomeBytes();
  Start()->Keep(image_, {}, &bytes);
  Start()->DropHanded();
  EXPECT_TRUE(memory_.segments.empty());
  EXPECT_TRUE(NoRecords());
}

TEST_F(SegmentKeeperTest, OnceItHasLeftNothingIsTakenBack) {
  ResidentBytes bytes = SomeBytes();
  const auto keeper = Start();
  keeper->Keep(image_, {}, &bytes);
  keeper->Leave();
  keeper->LetGo(bytes);
  keeper->End();
  EXPECT_EQ(memory_.segments.size(), 1u);
  ResidentBytes late = SomeBytes();
  keeper->Keep(ImageOf("files//b"), {}, &late);
  EXPECT_TRUE(late.kept_as.empty());
}

TEST_F(SegmentKeeperTest, AnEndLeavesNothing) {
  ResidentBytes bytes = SomeBytes();
  const auto keeper = Start();
  keeper->Keep(image_, {}, &bytes);
  keeper->End();
  EXPECT_TRUE(memory_.segments.empty());
}

TEST_F(SegmentKeeperTest, AKeeperThatIsGoneOrFullCostsNothingButWarmth) {
  const auto keeper = Start();
  for (const StatusCode code : {StatusCode::kUnavailable, StatusCode::kResourceExhausted}) {
    memory_.answer = Status(code, "no");
    ResidentBytes bytes = SomeBytes();
    keeper->Keep(image_, {}, &bytes);
    EXPECT_TRUE(bytes.kept_as.empty());
    EXPECT_EQ(test::TextIn(bytes.extents.at(0).fd.get()), "bytes");
    EXPECT_TRUE(NoRecords());
  }
}

}  // namespace
}  // namespace trims
