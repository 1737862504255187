// The disk's budget: what goes for what comes, and what never does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/prepared_folders.h"
#include "store/prepared_store.h"
#include "support/manual_worker.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Folders of content that lies elsewhere, too, each with an index of one byte and room for the rest.
class DiskBudgetTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kBudget = 1000;
  const PreparedStore::Index kIndex{"index", 1};

  static std::string NameOf(const std::string& model) {
    return prepared::ContentName({.key = model, .index_path = "index"});
  }
  std::string PathOf(const std::string& model, const std::string& file = "data") const {
    return root_ + "/" + NameOf(model) + "/" + file;
  }
  bool IsHere(const std::string& model) const { return fs::exists(PathOf(model)); }

  void Start(const std::vector<std::string>& models) {
    std::set<std::string> named;
    std::map<std::string, PreparedStore::Index> elsewhere;
    for (const std::string& model : models) {
      scratch_.Write("prepared/" + NameOf(model) + "/index", "i");
      named.insert(NameOf(model));
      elsewhere[NameOf(model)] = kIndex;
    }
    store_.SetElsewhere(elsewhere);
    store_.Start(named);
    worker_.Finish();
  }

  // As a load does it that fetches: room, the bytes, the end.
  Status Fetch(const std::string& model, size_t bytes) {
    Result<PreparedStore::Room> copy = store_.TakeRoom(NameOf(model), bytes + 1);
    if (!copy.ok()) return copy.status();
    worker_.Finish();
    scratch_.Write("prepared/" + NameOf(model) + "/data", std::string(bytes, 'x'));
    { const PreparedStore::Room ended = *std::move(copy); }
    worker_.Finish();
    return Status();
  }

  ScratchFolder scratch_;
  const std::string root_ = scratch_ / "prepared";
  ManualWorker worker_;
  PreparedStore store_{root_, &worker_, kBudget};
};

TEST_F(DiskBudgetTest, WhoWaitsForWhatComesIsToldOnceItIsMeasured) {
  Start({"a"});
  EXPECT_FALSE(store_.Has(NameOf("a"), 401));
  int told = 0;
  store_.AwaitMeasured(NameOf("a"), [&] { ++told; });
  EXPECT_EQ(told, 1) << "nothing is on its way";
  {
    const PreparedStore::Room room = store_.TakeRoom(NameOf("a"), 401).value();
    store_.AwaitMeasured(NameOf("a"), [&] { ++told; });
    scratch_.Write("prepared/" + NameOf("a") + "/data", std::string(400, 'x'));
    EXPECT_EQ(told, 1);
  }
  EXPECT_FALSE(store_.Has(NameOf("a"), 401)) << "not measured yet";
  worker_.Finish();
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(store_.Has(NameOf("a"), 401));
  EXPECT_FALSE(store_.Has(NameOf("a"), 402));
  EXPECT_FALSE(store_.Has(NameOf("none"), 0));
}

TEST_F(DiskBudgetTest, OfALowerOneTheOldestGoAndTheRestOfWhatMay) {
  Start({"a", "b"});
  ASSERT_TRUE(Fetch("a", 400).ok());
  ASSERT_TRUE(Fetch("b", 400).ok());
  store_.SetBudget(500);
  worker_.Finish();
  EXPECT_FALSE(IsHere("a"));
  EXPECT_TRUE(IsHere("b"));
  EXPECT_EQ(store_.bytes(), 402u);
  const PreparedStore::Pin read = store_.PinFolder(NameOf("b"));
  store_.SetBudget(1);
  worker_.Finish();
  EXPECT_TRUE(IsHere("b")) << "it is read";
  EXPECT_EQ(Fetch("a", 400).code(), StatusCode::kResourceExhausted);
  store_.SetBudget(PreparedStore::kNoBudget);
  EXPECT_TRUE(Fetch("a", 400).ok());
}

TEST_F(DiskBudgetTest, WhatWasReadLongestAgoGoesAndItsIndexStays) {
  Start({"a", "b", "c"});
  ASSERT_TRUE(Fetch("a", 400).ok());
  ASSERT_TRUE(Fetch("b", 400).ok());
  EXPECT_EQ(store_.bytes(), 803u);
  { const auto read = store_.PinFolder(NameOf("a")); }
  ASSERT_TRUE(Fetch("c", 400).ok());
  EXPECT_TRUE(IsHere("a"));
  EXPECT_FALSE(IsHere("b"));
  EXPECT_TRUE(fs::exists(PathOf("b", "index")));
  EXPECT_TRUE(IsHere("c"));
  EXPECT_EQ(store_.bytes(), 803u);
  EXPECT_EQ(store_.evictions(), 1u);
  ASSERT_TRUE(Fetch("b", 400).ok());
  EXPECT_TRUE(IsHere("b"));
  EXPECT_FALSE(IsHere("a"));
}

TEST_F(DiskBudgetTest, WhatIsPinnedInUseOrNowhereElseStays) {
  Start({"pinned", "used", "only", "next"});
  for (const std::string model : {"pinned", "used", "only"}) ASSERT_TRUE(Fetch(model, 300).ok());
  const auto pin = store_.PinFolder(NameOf("pinned"));
  store_.SetInUse([] { return std::set<std::string>{NameOf("used")}; });
  store_.SetElsewhere(
      {{NameOf("pinned"), kIndex}, {NameOf("used"), kIndex}, {NameOf("next"), kIndex}});
  const Status status = Fetch("next", 300);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("budget of 1000"));
  for (const std::string model : {"pinned", "used", "only"}) EXPECT_TRUE(IsHere(model)) << model;
  store_.SetInUse(nullptr);
  EXPECT_TRUE(Fetch("next", 300).ok());
  EXPECT_FALSE(IsHere("used"));
}

TEST_F(DiskBudgetTest, WhatCanNeverFitEvictsNothing) {
  Start({"a", "b"});
  ASSERT_TRUE(Fetch("a", 400).ok());
  EXPECT_EQ(Fetch("b", kBudget + 1).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(store_.TakeRoom(NameOf("none"), 1).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(IsHere("a"));
}

TEST_F(DiskBudgetTest, RoomIsTakenBeforeTheBytesCome) {
  Start({"a", "b"});
  std::optional<PreparedStore::Room> copy = store_.TakeRoom(NameOf("a"), 700).value();
  EXPECT_EQ(store_.TakeRoom(NameOf("b"), 400).status().code(), StatusCode::kResourceExhausted);
  copy.reset();  // nothing came
  worker_.Finish();
  EXPECT_TRUE(store_.TakeRoom(NameOf("b"), 400).ok());
}

// What is added goes before what can be fetched again; where that isn't enough, it is refused.
// Between the end of a fetch and its measurement its bytes are in no folder's number yet.
TEST_F(DiskBudgetTest, WhatHasComeCountsBeforeItIsMeasured) {
  Start({"a", "b"});
  {
    const PreparedStore::Room room = store_.TakeRoom(NameOf("a"), 701).value();
    scratch_.Write("prepared/" + NameOf("a") + "/data", std::string(700, 'x'));
  }
  EXPECT_EQ(store_.TakeRoom(NameOf("b"), 401).status().code(), StatusCode::kResourceExhausted);
  worker_.Finish();
  EXPECT_EQ(store_.bytes(), 702u);
  ASSERT_TRUE(Fetch("b", 400).ok());
  EXPECT_FALSE(IsHere("a"));
  EXPECT_EQ(store_.bytes(), 402u);
}

// So that nobody replaces, or discards, what is another model's only copy.
TEST_F(DiskBudgetTest, ThereIsNoRoomForCopiesOfWhatLiesNowhereElse) {
  Start({"a"});
  store_.SetElsewhere({});
  EXPECT_EQ(Fetch("a", 1).code(), StatusCode::kFailedPrecondition);
}

TEST_F(DiskBudgetTest, WhatHasNoMoreThanItsIndexIsNoVictim) {
  Start({"a", "b"});
  EXPECT_EQ(Fetch("b", 1000).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(store_.evictions(), 0u);
}

TEST_F(DiskBudgetTest, NothingIsTakenBeforeItIsKnownWhatIsThere) {
  EXPECT_EQ(store_.TakeRoom(NameOf("a"), 1).status().code(), StatusCode::kUnavailable);
}

TEST_F(DiskBudgetTest, WithoutABudgetNobodyWaitsForTheMeasurement) {
  scratch_.Write("prepared/" + NameOf("a") + "/index", "i");
  store_.SetElsewhere({{NameOf("a"), kIndex}});
  store_.SetBudget(PreparedStore::kNoBudget);
  store_.Start({NameOf("a")});
  EXPECT_TRUE(store_.TakeRoom(NameOf("a"), 1).ok());
}

TEST_F(DiskBudgetTest, AnAddTakesTheRoomOfCopies) {
  Start({"a"});
  ASSERT_TRUE(Fetch("a", 800).ok());
  const auto add = [this](size_t bytes) {
    Status status;
    store_.NewIncoming([&](Result<PreparedStore::Incoming> incoming) {
      fs::create_directory(incoming->path() + "/v");
      scratch_.Write(fs::relative(incoming->path() + "/v/data", scratch_.path()).string(),
                     std::string(bytes, 'x'));
      Manifest manifest;
      manifest.variants.push_back({.key = "added", .folder = "v", .index_path = "index"});
      store_.Publish(
          *std::move(incoming), manifest,
          [&](const Result<PreparedStore::Published>& published) { status = published.status(); });
    });
    worker_.Finish();
    return status;
  };
  EXPECT_EQ(add(1001).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(IsHere("a"));
  EXPECT_TRUE(add(500).ok());
  EXPECT_FALSE(IsHere("a"));
}

TEST_F(DiskBudgetTest, WhatACrashLeftHalfWrittenGoesAtTheStart) {
  scratch_.Write("prepared/" + NameOf("a") + "/.unfinished-0", "half");
  Start({"a"});
  EXPECT_FALSE(fs::exists(PathOf("a", ".unfinished-0")));
  EXPECT_EQ(store_.bytes(), 1u);
  EXPECT_EQ(store_.unfinished().fetches, 0u);
}

TEST_F(DiskBudgetTest, WhatAFetchCanGoOnWithStaysAndCounts) {
  scratch_.Write("prepared/" + NameOf("a") + "/.unfinished-0", "half");
  scratch_.Write("prepared/" + NameOf("a") + "/.unfinished-journal", "0 4\n");
  Start({"a"});
  EXPECT_TRUE(fs::exists(PathOf("a", ".unfinished-0")));
  EXPECT_EQ(store_.bytes(), 1u + 4 + 4);
  EXPECT_EQ(store_.unfinished().fetches, 1u);
  EXPECT_EQ(store_.unfinished().bytes, 8u);
  // Its room is there when the next one asks for it, and it goes where room is needed.
  EXPECT_TRUE(Fetch("a", 800).ok());
}

}  // namespace
}  // namespace trims::test
