// Ends: the last lease, reclaim, removal.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "manager/manager_fixture.h"
#include "store/prepared_folders.h"
#include "store/prepared_store.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

class ManagerRelease : public test::ManagerFixture {};

TEST_F(ManagerRelease, AddedAgainWhileLeasedItIsNotRemovedAnyMore) {
  Know("a", 'a', 4);
  Start(8);
  auto open = OpenResident("a");
  Remove("a");
  EXPECT_TRUE(manager_->Snapshot().segments.at(0).removed);
  Know("a", 'a', 4);
  Know("b", 'b', 1);
  Remove("b");  // whatever changes the catalog next
  EXPECT_FALSE(manager_->Snapshot().segments.at(0).removed);
  open->lease.reset();
  EXPECT_EQ(StateOf("a"), "resident") << "reclaim is lazy, and the catalog has it";
}

TEST_F(ManagerRelease, SeveralWhoOpenItWhileItIsFreedAreOneMiss) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  OpenResident("a")->lease.reset();
  auto first = Open("a");
  auto second = Open("a");
  EXPECT_EQ(Count().misses, 2u) << "the first load of all, and this one";
  EXPECT_EQ(Count().joined, 1u);
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(first->lease && second->lease);
  EXPECT_EQ(Count().loads, 2u);
}

TEST_F(ManagerRelease, EagerReclaimFreesWithTheLastLease) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  auto first = OpenResident("a");
  auto second = OpenResident("a");
  first->lease.reset();
  EXPECT_EQ(StateOf("a"), "resident");
  second->lease.reset();
  EXPECT_EQ(StateOf("a"), "draining");
  tier_->FinishRelease();
  EXPECT_EQ(StateOf("a"), "absent");
  EXPECT_EQ(Used(), 0u);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerRelease, EagerReclaimWithinACallbackLeavesTheOthersTheirs) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  bool first = false;
  const Result<OpenOutcome> wait =
      manager_->Open({.reference = "a", .variant_key = {}, .tier = {}},
                     [&](Result<Lease> lease) { first = lease.ok(); });  // ends it at once
  auto second = Open("a");
  tier_->Finish();
  EXPECT_TRUE(first);
  ASSERT_TRUE(second->lease);
  EXPECT_EQ(second->lease->bytes().extents.size(), 1u);
  EXPECT_EQ(StateOf("a"), "resident");
}

TEST_F(ManagerRelease, OpenedWhileItIsFreedItComesBack) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  OpenResident("a")->lease.reset();
  auto again = Open("a");
  EXPECT_EQ(tier_->fills.size(), 0u);
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(again->lease);
  EXPECT_EQ(Used(), 4u);
}

TEST_F(ManagerRelease, RemovedWhileLeasedGoesWithTheLastLease) {
  Know("a", 'a', 4);
  Start(8);
  auto open = OpenResident("a");
  Result<std::vector<RemovedModel>> removed = Status(StatusCode::kInternal, "not called");
  manager_->Remove({}, "a",
                   [&](Result<std::vector<RemovedModel>> result) { removed = std::move(result); });
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->at(0).reference, "default/a:v1");
  EXPECT_EQ(Open("a")->status.code(), StatusCode::kNotFound);
  EXPECT_EQ(open->lease->bytes().extents.size(), 1u);
  EXPECT_EQ(tier_->releases.size(), 0u);
  open->lease.reset();
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 0u);
}

TEST_F(ManagerRelease, RemovedWhileLoadingForNobodyIsCancelled) {
  Know("a", 'a', 4);
  Start(8);
  Open("a")->wait.reset();
  Remove("a");
  EXPECT_TRUE(tier_->fills.front().request.control->cancelled());
  Know("a", 'a', 4);
  auto again = Open("a");  // before the loader noticed
  tier_->Fail(StatusCode::kCancelled);
  EXPECT_FALSE(again->called);
  tier_->Finish();
  EXPECT_TRUE(again->lease);
}

TEST_F(ManagerRelease, OtherUsersMayNotRemove) {
  Know("a", 'a', 4);
  Start(8);
  Status status;
  manager_->Remove(
      {.uid = 54321, .gid = 0, .pid = 0}, "a",
      [&](const Result<std::vector<RemovedModel>>& result) { status = result.status(); });
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(catalog_.entries.size(), 1u);
}

TEST_F(ManagerRelease, PreparedFilesStayUntilNoLoadWillReadThem) {
  const test::ScratchFolder root;
  const std::string folder = prepared::ContentName(test::MakeVariant(Variant::kFiles, 1));
  prepared_ = std::make_unique<PreparedStore>(root.path(), &worker_);
  Start(4, Reclaim::kEager);
  ManifestVariant variant = test::MakeVariant(Variant::kFiles, 1);
  variant.folder = folder;
  catalog_.entries.push_front(
      MakeCatalogEntry("default/a", "v1", test::MakeManifest(test::Digest('a'), {variant}), 1));
  const auto prepare = [&] {
    std::filesystem::create_directory(root / folder);
    prepared_->Retain({folder});
  };
  const auto exists = [&] { return std::filesystem::exists(root / folder); };

  prepare();
  auto first = Open("a");
  prepared_->Retain({});
  EXPECT_TRUE(exists()) << "a load reads it";
  tier_->Finish();
  EXPECT_FALSE(exists());

  prepare();
  first.reset();  // the last lease: it is being freed
  auto waiting = Open("a");
  prepared_->Retain({});
  EXPECT_TRUE(exists()) << "a load will read it";
  waiting.reset();  // given up: no load comes whose end could be waited for
  tier_->FinishRelease();
  EXPECT_FALSE(exists());
  manager_.reset();
}

}  // namespace
}  // namespace trims
