// PreparedStore over a real folder and a worker that works when the test says so: what a Publish, a
// Retain or a pin leaves on the disk, and that nothing is left where a step fails.
#include "store/prepared_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/fault.h"
#include "store/prepared_folders.h"
#include "support/manual_worker.h"
#include "support/open_fds.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

ManifestVariant VariantOf(Variant kind) {
  ManifestVariant variant;
  variant.kind = kind;
  variant.folder = VariantName(kind);
  variant.index_path = "index";
  return variant;
}

const std::string kFiles = prepared::ContentName(VariantOf(Variant::kFiles));
const std::string kOrt = prepared::ContentName(VariantOf(Variant::kOrt));

class PreparedStoreTest : public ::testing::Test {
 protected:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    if (!fs::exists(root_)) return names;
    for (const auto& entry : fs::directory_iterator(root_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  void Start(const std::set<std::string>& named = {}) {
    store_->Start(named);
    worker_.Finish();
  }

  PreparedStore::Incoming NewIncoming() {
    std::optional<PreparedStore::Incoming> made;
    store_->NewIncoming([&](Result<PreparedStore::Incoming> incoming) {
      ASSERT_TRUE(incoming.ok()) << incoming.status().ToString();
      made.emplace(*std::move(incoming));
    });
    worker_.Finish();
    return *std::move(made);
  }

  // As a preparer would leave it: a folder for each variant, with a file and one that is deeper.
  static Manifest Prepare(const PreparedStore::Incoming& incoming,
                          const std::vector<Variant>& kinds) {
    Manifest manifest;
    manifest.digest = std::string(64, 'a');
    for (const Variant kind : kinds) {
      ManifestVariant variant = VariantOf(kind);
      const fs::path folder = fs::path(incoming.path()) / variant.folder;
      fs::create_directories(folder / "deep");
      std::ofstream(folder / "index") << "index";
      std::ofstream(folder / "deep" / "data") << "data!";
      manifest.variants.push_back(std::move(variant));
    }
    return manifest;
  }

  Result<PreparedStore::Published> Publish(PreparedStore::Incoming incoming,
                                           const Manifest& manifest) {
    std::optional<Result<PreparedStore::Published>> result;
    store_->Publish(std::move(incoming), manifest, [&](Result<PreparedStore::Published> published) {
      result.emplace(std::move(published));
    });
    worker_.Finish();
    return *std::move(result);
  }

  PreparedStore::Published Publish(const std::vector<Variant>& kinds) {
    PreparedStore::Incoming incoming = NewIncoming();
    const Manifest manifest = Prepare(incoming, kinds);
    return Publish(std::move(incoming), manifest).value();
  }

  void Retain(const std::set<std::string>& named) {
    store_->Retain(named);
    worker_.Finish();
  }

  ScratchFolder scratch_;
  const std::string root_ = scratch_ / "prepared";
  ManualWorker worker_;
  std::optional<PreparedStore> store_{std::in_place, root_, &worker_};
};

TEST_F(PreparedStoreTest, AnIncomingFolderIsMadeOnTheWorkerAndGoesWithItsOwner) {
  std::optional<PreparedStore::Incoming> incoming;
  store_->NewIncoming(
      [&](Result<PreparedStore::Incoming> made) { incoming.emplace(*std::move(made)); });
  EXPECT_FALSE(fs::exists(root_)) << "the loop made it";
  worker_.Finish();
  ASSERT_TRUE(incoming);
  EXPECT_THAT(incoming->path(), StartsWith(root_ + "/.incoming-"));
  EXPECT_EQ(fs::status(incoming->path()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(root_).permissions(), fs::perms::owner_all);
  Prepare(*incoming, {Variant::kOrt});
  incoming.reset();
  EXPECT_EQ(Names().size(), 1u) << "the loop removed it";
  worker_.Finish();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(PreparedStoreTest, WhoeverDropsAnIncomingFolderIsToldWhenItIsGone) {
  PreparedStore::Incoming incoming = NewIncoming();
  bool gone = false;
  incoming.Drop([&] {
    EXPECT_THAT(Names(), IsEmpty());
    gone = true;
  });
  EXPECT_FALSE(gone);
  worker_.Finish();
  EXPECT_TRUE(gone);
  gone = false;
  incoming.Drop([&] { gone = true; });
  EXPECT_TRUE(gone) << "there is none any more";
}

TEST_F(PreparedStoreTest, AnIncomingFolderThatIsReplacedIsRemoved) {
  PreparedStore::Incoming incoming = NewIncoming();
  incoming = NewIncoming();
  worker_.Finish();
  EXPECT_THAT(Names(), ElementsAre(fs::path(incoming.path()).filename().string()));
}

TEST_F(PreparedStoreTest, PublishingGivesEachVariantAFolderOfItsOwn) {
  const PreparedStore::Published published = Publish({Variant::kFiles, Variant::kOrt});
  ASSERT_EQ(published.manifest.variants.size(), 2u);
  EXPECT_EQ(published.manifest.variants[0].folder, kFiles);
  EXPECT_EQ(published.manifest.variants[1].folder, kOrt);
  EXPECT_THAT(Names(), UnorderedElementsAre(kFiles, kOrt));
  EXPECT_EQ(store_->bytes(), 20u);
  EXPECT_TRUE(fs::exists(root_ + "/" + kOrt + "/deep/data"));
  EXPECT_EQ(PreparedStore::CountPublished(root_).value(), 2u);
}

TEST_F(PreparedStoreTest, EqualContentIsThereOnceAndTheNewCopyTakesThePlaceOfTheOld) {
  const PreparedStore::Published first = Publish({Variant::kOrt});
  std::ofstream(root_ + "/" + kOrt + "/index") << "damaged";
  std::ofstream(root_ + "/" + kOrt + "/more") << "of nobody";
  const PreparedStore::Published second = Publish({Variant::kOrt});
  EXPECT_EQ(second.manifest.variants[0].folder, kOrt);
  EXPECT_THAT(Names(), ElementsAre(kOrt));
  EXPECT_EQ(store_->bytes(), 10u);
  EXPECT_EQ(fs::file_size(root_ + "/" + kOrt + "/index"), 5u);
  EXPECT_FALSE(fs::exists(root_ + "/" + kOrt + "/more"));
}

TEST_F(PreparedStoreTest, WhereFoldersCantChangePlacesTheOldCopyStays) {
  const PreparedStore::Published first = Publish({Variant::kOrt});
  std::ofstream(root_ + "/" + kOrt + "/mark") << "old";
  // The first rename finds the name taken, the second is the exchange.
  const fault::ScopedPlan plan({.op = fault::Op::kRename, .nth = 2, .error = EINVAL});
  const PreparedStore::Published second = Publish({Variant::kOrt});
  EXPECT_TRUE(plan.fired());
  EXPECT_THAT(Names(), ElementsAre(kOrt));
  EXPECT_TRUE(fs::exists(root_ + "/" + kOrt + "/mark"));
}

TEST_F(PreparedStoreTest, APublishThatFailsLeavesWhatWasThereBefore) {
  const PreparedStore::Published before = Publish({Variant::kFiles});
  Retain({kFiles});
  PreparedStore::Incoming incoming = NewIncoming();
  const Manifest manifest = Prepare(incoming, {Variant::kFiles, Variant::kOrt});
  const fault::ScopedPlan plan({.op = fault::Op::kRename, .nth = 3, .error = ENOSPC});
  EXPECT_FALSE(Publish(std::move(incoming), manifest).ok());
  EXPECT_TRUE(plan.fired());
  EXPECT_THAT(Names(), ElementsAre(kFiles));
  EXPECT_EQ(store_->bytes(), 10u);
}

TEST_F(PreparedStoreTest, WhatIsPublishedAgainIsNotRemovedMeanwhile) {
  std::optional<PreparedStore::Published> before = Publish({Variant::kOrt});
  PreparedStore::Incoming incoming = NewIncoming();
  const Manifest manifest = Prepare(incoming, {Variant::kOrt});
  std::optional<PreparedStore::Published> published;
  store_->Publish(std::move(incoming), manifest, [&](Result<PreparedStore::Published> result) {
    published.emplace(*std::move(result));
  });
  worker_.Work();
  before.reset();  // its last pin goes while the new copy is on its way
  worker_.Finish();
  ASSERT_TRUE(published);
  EXPECT_THAT(Names(), ElementsAre(kOrt));
  EXPECT_TRUE(fs::exists(root_ + "/" + kOrt + "/index"));
}

// Each system call that can fail, at each place where it is made.
TEST_F(PreparedStoreTest, NothingIsLeftOfAPublishOfWhichAnyStepFails) {
  const size_t descriptors = OpenFds();
  for (const auto& [op, error, code] :
       {std::tuple(fault::Op::kOpen, EMFILE, StatusCode::kResourceExhausted),
        std::tuple(fault::Op::kSync, EIO, StatusCode::kDataLoss),
        std::tuple(fault::Op::kRename, ENOSPC, StatusCode::kResourceExhausted)}) {
    int nth = 1;
    for (;; ++nth) {
      SCOPED_TRACE(std::string(fault::OpName(op)) + " " + std::to_string(nth));
      PreparedStore::Incoming incoming = NewIncoming();
      const Manifest manifest = Prepare(incoming, {Variant::kFiles, Variant::kOrt});
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = error});
      const Result<PreparedStore::Published> published = Publish(std::move(incoming), manifest);
      if (!plan.fired()) break;
      EXPECT_EQ(published.status().code(), code) << published.status().ToString();
      EXPECT_THAT(Names(), IsEmpty());
      EXPECT_EQ(store_->bytes(), 0u);
    }
    EXPECT_GT(nth, 2) << "each variant has its own " << fault::OpName(op);
    worker_.Finish();
  }
  EXPECT_EQ(OpenFds(), descriptors);
}

TEST_F(PreparedStoreTest, NothingIsLeftOfAnIncomingFolderThatCanNotBeMade) {
  int nth = 1;
  for (;; ++nth) {
    const fault::ScopedPlan plan({.op = fault::Op::kMakeFolder, .nth = nth, .error = ENOSPC});
    std::optional<Status> status;
    store_->NewIncoming(
        [&](const Result<PreparedStore::Incoming>& made) { status = made.status(); });
    worker_.Finish();
    if (!plan.fired()) break;
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(status->message(), HasSubstr(root_));
    EXPECT_THAT(Names(), IsEmpty());
  }
  EXPECT_GT(nth, 1) << "no folder was made";
}

TEST_F(PreparedStoreTest, AVariantThatWasNotPreparedFailsThePublishAsAWhole) {
  PreparedStore::Incoming incoming = NewIncoming();
  const Manifest manifest = Prepare(incoming, {Variant::kFiles, Variant::kOrt});
  fs::remove_all(incoming.path() + "/ort");
  const Status status = Publish(std::move(incoming), manifest).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound) << status.ToString();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(PreparedStoreTest, OneFolderIsNotPublishedForTwoVariants) {
  PreparedStore::Incoming incoming = NewIncoming();
  Manifest manifest = Prepare(incoming, {Variant::kFiles, Variant::kOrt});
  manifest.variants[1].folder = manifest.variants[0].folder;
  EXPECT_FALSE(Publish(std::move(incoming), manifest).ok());
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(PreparedStoreTest, APreparersFolderIsNoWayToAnotherPlace) {
  scratch_.Write("elsewhere/file", "somebody's");
  for (const std::string& folder : std::vector<std::string>{"", ".", "..", "a/b", "../../elsewhere",
                                                            scratch_ / "elsewhere", "link"}) {
    SCOPED_TRACE(folder);
    PreparedStore::Incoming incoming = NewIncoming();
    fs::create_directory_symlink(scratch_ / "elsewhere", incoming.path() + "/link");
    Manifest manifest = Prepare(incoming, {Variant::kFiles});
    manifest.variants[0].folder = folder;
    EXPECT_FALSE(Publish(std::move(incoming), manifest).ok());
    EXPECT_THAT(Names(), IsEmpty());
    EXPECT_TRUE(fs::exists(scratch_ / "elsewhere/file"));
  }
}

TEST_F(PreparedStoreTest, WhatIsPublishedStaysWhileItIsPinnedOrNamed) {
  std::optional<PreparedStore::Published> published = Publish({Variant::kFiles, Variant::kOrt});
  Retain({});
  EXPECT_EQ(Names().size(), 2u) << "nobody names it yet, but its publisher has it";
  Retain({kOrt});
  published.reset();
  worker_.Finish();
  EXPECT_THAT(Names(), ElementsAre(kOrt));
  EXPECT_EQ(store_->bytes(), 10u);
  Retain({});
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(store_->bytes(), 0u);
}

TEST_F(PreparedStoreTest, ThePublishedFolderOfAnAddThatFailsLaterGoesWithItsPins) {
  std::optional<PreparedStore::Published> published = Publish({Variant::kFiles, Variant::kOrt});
  published.reset();
  EXPECT_EQ(Names().size(), 2u) << "the loop removed it";
  worker_.Finish();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(PreparedStoreTest, WhatAPublishOnItsWayHasNamedIsNotRemoved) {
  PreparedStore::Incoming incoming = NewIncoming();
  const Manifest manifest = Prepare(incoming, {Variant::kOrt});
  std::optional<PreparedStore::Published> published;
  store_->Publish(std::move(incoming), manifest, [&](Result<PreparedStore::Published> result) {
    published.emplace(*std::move(result));
  });
  store_->Retain({});
  worker_.Work();  // it has its name, but the loop does not know
  store_->Retain({});
  worker_.Finish();
  EXPECT_THAT(Names(), ElementsAre(kOrt));
  Retain({kOrt});
  EXPECT_THAT(Names(), ElementsAre(kOrt));
}

TEST_F(PreparedStoreTest, TheLastPinOfWhatIsNotNamedAnyMoreRemovesIt) {
  PreparedStore::Published published = Publish({Variant::kOrt});
  const std::string folder = published.manifest.variants[0].folder;
  Retain({folder});
  published.pins.clear();
  PreparedStore::Pin first = store_->PinFolder(folder);
  PreparedStore::Pin second = store_->PinFolder(folder);
  PreparedStore::Pin moved = std::move(first);
  Retain({});
  second = PreparedStore::Pin();
  worker_.Finish();
  EXPECT_THAT(Names(), ElementsAre(folder));
  moved = PreparedStore::Pin();
  worker_.Finish();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(PreparedStoreTest, WhatIsNamedAgainWhileItIsPinnedStays) {
  PreparedStore::Published published = Publish({Variant::kOrt});
  const std::string folder = published.manifest.variants[0].folder;
  Retain({folder});
  Retain({});
  Retain({folder});
  published.pins.clear();
  worker_.Finish();
  EXPECT_THAT(Names(), ElementsAre(folder));
}

TEST_F(PreparedStoreTest, WhatIsGoneCanNotBePinnedAndItsNameIsFree) {
  Publish({Variant::kOrt}).pins.clear();  // to be removed, but the worker is not there yet
  PreparedStore::Pin late = store_->PinFolder(kOrt);
  const PreparedStore::Published again = Publish({Variant::kOrt});
  EXPECT_EQ(again.manifest.variants[0].folder, kOrt);
  late = PreparedStore::Pin();
  worker_.Finish();
  EXPECT_TRUE(fs::exists(root_ + "/" + kOrt + "/index"));
  EXPECT_EQ(store_->bytes(), 10u);
}

TEST_F(PreparedStoreTest, StartRemovesWhatACrashLeftAndMeasuresTheRest) {
  scratch_.Write("prepared/.incoming-Ab3xYz/ort/data", "half");
  scratch_.Write("prepared/" + kOrt + "/data", "12345");
  scratch_.Write("prepared/" + kFiles + "/data", "nobody's");
  for (const char* other :
       {"notes.txt", "lost+found/file", "backup-2026/data", "aaaa-ort-0/data"}) {
    scratch_.Write(std::string("prepared/") + other, "somebody's");
  }
  store_->Start({kOrt, "ort-" + std::string(32, '7')});
  EXPECT_EQ(Names().size(), 7u) << "the loop removed something";
  worker_.Finish();
  EXPECT_THAT(Names(),
              UnorderedElementsAre(kOrt, "notes.txt", "lost+found", "backup-2026", "aaaa-ort-0"));
  EXPECT_EQ(store_->bytes(), 5u);
}

TEST_F(PreparedStoreTest, ARootThatIsNotThereIsEmpty) {
  Start({kOrt});
  EXPECT_FALSE(fs::exists(root_));
  EXPECT_EQ(store_->bytes(), 0u);
  EXPECT_EQ(PreparedStore::CountPublished(root_).value(), 0u);
}

TEST_F(PreparedStoreTest, OnlyWhatBearsAPublishedNameIsEverRemoved) {
  scratch_.Write("prepared/notes/file", "somebody's");
  scratch_.Write("file", "somebody's");
  const std::set<std::string> strange = {"", ".", "..", "notes", "../file", kOrt + "/.."};
  Start(strange);
  Retain(strange);
  for (const std::string& name : strange) {
    const PreparedStore::Pin pin = store_->PinFolder(name);
  }
  Retain({});
  EXPECT_TRUE(fs::exists(root_ + "/notes/file"));
  EXPECT_TRUE(fs::exists(scratch_ / "file"));
}

TEST_F(PreparedStoreTest, WhatARetainRemovedBeforeItWasMeasuredCountsNothing) {
  scratch_.Write("prepared/" + kOrt + "/data", "12345");
  store_->Start({kOrt});
  store_->Retain({});
  worker_.Finish();
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(store_->bytes(), 0u);
}

TEST_F(PreparedStoreTest, OwnersMayOutliveTheStoreAndTheNextOneClearsUp) {
  PreparedStore::Incoming incoming = NewIncoming();
  PreparedStore::Incoming unpublished = NewIncoming();
  const Manifest manifest = Prepare(unpublished, {Variant::kFiles});
  std::optional<PreparedStore::Published> published = Publish({Variant::kOrt});
  const auto nobody = [](const auto&) { FAIL() << "called back after the store has gone"; };
  store_->Publish(std::move(unpublished), manifest, nobody);
  store_->NewIncoming(nobody);
  store_.reset();
  published.reset();
  { const PreparedStore::Incoming dropped = std::move(incoming); }
  worker_.Finish();
  EXPECT_EQ(Names().size(), 4u);
  store_.emplace(root_, &worker_);
  Start({kOrt});
  EXPECT_THAT(Names(), ElementsAre(kOrt));
}

}  // namespace
}  // namespace trims::test
