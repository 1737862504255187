// What is brought to the disk, by a manager over a real store whose copies the test writes.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "manager/manager_fixture.h"
#include "store/prepared_folders.h"
#include "store/prepared_store.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

class DiskPrefetcherTest : public test::ManagerFixture {
 protected:
  // A model that lies elsewhere, too, of which this disk has the index.
  void Begin() {
    ManifestVariant variant = test::MakeVariant(Variant::kFiles, 1);
    variant.remote = ManifestRemote{.source = "http://127.0.0.1:9/m"};
    variant.folder = prepared::ContentName(variant);
    folder_ = variant.folder;
    root_.Write(folder_ + "/index", std::string(variant.index_length, 'i'));
    catalog_.entries.push_front(
        MakeCatalogEntry("default/a", "v1", test::MakeManifest(test::Digest('a'), {variant}), 1));
    prepared_ = std::make_unique<PreparedStore>(root_.path(), &worker_);
    Start(4);
    prepared_->Start({folder_});
  }
  // As the tier does it that fetches.
  void TakeRoom() { room_.emplace(prepared_->TakeRoom(folder_, 108).value()); }
  void EndRoom(bool written) {
    if (written) root_.Write(folder_ + "/data", std::string(8, 'd'));
    room_.reset();
  }
  void Fetch() {
    manager_->Prefetch({}, {.reference = "a", .tier = "disk"}, {},
                       [this](Result<ControlledModel> model) { answer_ = std::move(model); });
  }
  StatusCode Code() const { return answer_ ? answer_->status().code() : StatusCode::kInternal; }

  test::ScratchFolder root_;
  std::string folder_;
  std::optional<PreparedStore::Room> room_;
  std::optional<Result<ControlledModel>> answer_;
};

TEST_F(DiskPrefetcherTest, ItIsAnsweredOnceItIsWrittenAndGoesFromMemoryThen) {
  Begin();
  Fetch();
  TakeRoom();
  tier_->Finish();
  EXPECT_FALSE(answer_) << "it is not written yet";
  EXPECT_EQ(StateOf("a"), "resident");
  EndRoom(/*written=*/true);
  ASSERT_EQ(Code(), StatusCode::kOk) << answer_->status().ToString();
  EXPECT_EQ((*answer_)->tier, "disk");
  EXPECT_EQ((*answer_)->variants.at(0).state, SegmentState::kResident);
  EXPECT_EQ(StateOf("a"), "draining");
}

TEST_F(DiskPrefetcherTest, WhatSomebodyElseWantedInMemoryStaysThere) {
  Begin();
  Fetch();
  TakeRoom();
  auto open = Open("a");
  tier_->Finish();
  ASSERT_TRUE(open->lease);
  open->lease.reset();
  EndRoom(/*written=*/true);
  ASSERT_EQ(Code(), StatusCode::kOk);
  EXPECT_EQ(StateOf("a"), "resident");
}

TEST_F(DiskPrefetcherTest, WhatCouldNotBeWrittenSaysSo) {
  Begin();
  Fetch();
  TakeRoom();
  tier_->Finish();
  EndRoom(/*written=*/false);
  EXPECT_EQ(Code(), StatusCode::kDataLoss);
  EXPECT_EQ(StateOf("a"), "draining");
}

TEST_F(DiskPrefetcherTest, WhatCouldNotBeLoadedSaysWhy) {
  Begin();
  Fetch();
  tier_->Fail(StatusCode::kUnavailable);
  EXPECT_EQ(Code(), StatusCode::kUnavailable);
}

TEST_F(DiskPrefetcherTest, WhatIsRemovedMeanwhileIsNotThere) {
  Begin();
  Fetch();
  TakeRoom();
  tier_->Finish();
  Remove("a");
  EndRoom(/*written=*/true);
  EXPECT_EQ(Code(), StatusCode::kNotFound);
}

TEST_F(DiskPrefetcherTest, WhatIsInMemoryAlreadyIsRefusedWithTheNextStep) {
  Begin();
  OpenResident("a")->lease.reset();
  Fetch();
  EXPECT_EQ(Code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(answer_->status().hint(), "trims evict default/a:v1, then prefetch it again");
}

// The store outlives the tiers, and with it who waits for it.
TEST_F(DiskPrefetcherTest, AManagerThatEndsMeanwhileLeavesNothingBehind) {
  Begin();
  Fetch();
  TakeRoom();
  tier_->Finish();
  manager_.reset();
  tier_.reset();
  EndRoom(/*written=*/true);
  prepared_.reset();
  EXPECT_FALSE(answer_);
}

}  // namespace
}  // namespace trims
