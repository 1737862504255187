// Pushing and importing over real folders: what comes out is what went in, whatever its pieces were; what is
// damaged, incomplete or leads elsewhere is refused.
#include "ingest/pushed_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/fault.h"
#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "support/content.h"
#include "support/held_resources.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PushedFolderTest : public ::testing::Test {
 protected:
  PushedFolderTest() {
    scratch_.Write("model/deep/w.bin", kWeights);
    AddVariant(Variant::kFiles, "", {PieceOrigin::kSource, "deep/w.bin", 0, kWeights.size(), 0});
    AddVariant(Variant::kOrt, "key", {PieceOrigin::kPrepared, "made", 0, kWeights.size(), 0});
    manifest_.digest = Sha256Hex(BytesOf(kWeights));
    manifest_.format = "files";
    manifest_.source = "file://" + (scratch_ / "model");
    manifest_.files = {
        {.name = "deep/w.bin", .length = kWeights.size(), .sha256 = manifest_.digest}};
    fs::create_directory(scratch_ / "incoming");
  }

  void AddVariant(Variant kind, const std::string& key, const ManifestPiece& piece) {
    ManifestVariant variant;
    variant.kind = kind;
    variant.key = key;
    variant.folder = std::string(VariantName(kind)) + "-0123";
    variant.index_path = "index";
    variant.index_length = kIndex.size();
    variant.index_sha256 = Sha256Hex(BytesOf(kIndex));
    variant.extents.push_back({.length = kWeights.size(),
                               .sha256 = TreeDigestOf(BytesOf(kWeights)),
                               .xxh3 = ChunkSumsOf(BytesOf(kWeights)),
                               .pieces = {piece}});
    scratch_.Write("prepared/" + variant.folder + "/index", kIndex);
    if (piece.origin == PieceOrigin::kPrepared) {
      scratch_.Write("prepared/" + variant.folder + "/" + piece.path, kWeights);
    }
    manifest_.variants.push_back(std::move(variant));
  }

  Status Push(CancelToken* cancel = nullptr) {
    return PushToFolder(manifest_, MakeImages(manifest_, "default/m", "v1"), scratch_ / "prepared",
                        pushed_, {.cancel = cancel})
        .status();
  }
  Result<Manifest> Import(const std::string& remote = "", std::vector<Variant> variants = {}) {
    fs::remove_all(scratch_ / "incoming");
    fs::create_directory(scratch_ / "incoming");
    return ImportPushed({.folder = pushed_,
                         .incoming = scratch_ / "incoming",
                         .variants = std::move(variants),
                         .remote = remote});
  }
  void ExpectPushAndImport() {
    const Status status = Push();
    ASSERT_TRUE(status.ok()) << status.ToString();
    const Result<Manifest> manifest = Import();
    ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
    EXPECT_EQ(manifest->variants.size(), 2u);
  }

  const std::string kWeights = "weights of a model";
  const std::string kIndex = "the index";
  ScratchFolder scratch_;
  const std::string pushed_ = scratch_ / "pushed";
  Manifest manifest_;
};

TEST_F(PushedFolderTest, WhatIsPushedIsImportedByteForByte) {
  ASSERT_TRUE(Push().ok());
  EXPECT_TRUE(IsPushed(pushed_));
  const Result<Manifest> manifest = Import();
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->digest, manifest_.digest);
  ASSERT_EQ(manifest->variants.size(), 2u);
  const ManifestVariant& files = manifest->variants[0];
  EXPECT_FALSE(files.remote);
  EXPECT_EQ(files.extents[0].pieces[0].origin, PieceOrigin::kPrepared);
  EXPECT_EQ(files.extents[0].pieces[0].path, "source/deep/w.bin");
  EXPECT_EQ(files.extents[0].sha256, manifest_.variants[0].extents[0].sha256);
  EXPECT_EQ(TextOf(scratch_ / "incoming/files-0123/source/deep/w.bin"), kWeights);
  EXPECT_EQ(TextOf(scratch_ / "incoming/ort-0123/made"), kWeights);
}

TEST_F(PushedFolderTest, OfWhatLiesOnANetworkTheIndexesAreTaken) {
  ASSERT_TRUE(Push().ok());
  fs::remove_all(pushed_ + "/files-0123/source");
  fs::remove(pushed_ + "/ort-0123/made");
  const Result<Manifest> manifest = Import("https://host/m/trims.json");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  ASSERT_EQ(manifest->variants.size(), 2u);
  for (const ManifestVariant& variant : manifest->variants) {
    ASSERT_TRUE(variant.remote);
    EXPECT_EQ(variant.remote->source, "https://host/m/trims.json");
    EXPECT_EQ(variant.remote->folder, variant.folder);
    EXPECT_EQ(TextOf(scratch_ / ("incoming/" + variant.folder + "/index")), kIndex);
  }
  std::ofstream(pushed_ + "/ort-0123/index") << std::string(kIndex.size(), 'x');
  EXPECT_EQ(Import("https://host/m/trims.json").status().code(), StatusCode::kDataLoss);
}

TEST_F(PushedFolderTest, NamesThatADiskCantHoldAtOnceAreRefused) {
  const auto refused = [this](const auto& spoil, const std::string& why) {
    ASSERT_TRUE(Push().ok());
    Manifest lying = *ParseManifest(TextOf(pushed_ + "/trims.json"));
    spoil(&lying);
    std::ofstream(pushed_ + "/trims.json") << ManifestToJson(lying);
    const Status status = Import().status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(why));
  };
  const auto piece = [](Manifest* lying) -> std::string& {
    return lying->variants[1].extents[0].pieces[0].path;
  };
  refused([&](Manifest* lying) { piece(lying) = "index/a"; }, "'index' is a file and a folder");
  refused([&](Manifest* lying) { piece(lying) = "index"; }, "an index and more");
  refused([&](Manifest* lying) { piece(lying) = ".unfinished-0"; }, ".unfinished-0");
  refused([](Manifest* lying) { lying->variants[1].folder = lying->variants[0].folder; },
          "is not its own");
  refused([](Manifest* lying) { lying->variants[1].folder = "trims.json"; }, "is not its own");
}

TEST_F(PushedFolderTest, OfALongerFileOnlyWhatIsReadIsTaken) {
  ASSERT_TRUE(Push().ok());
  fs::resize_file(pushed_ + "/ort-0123/made", 1 << 20);
  ASSERT_TRUE(Import().ok());
  EXPECT_EQ(TextOf(scratch_ / "incoming/ort-0123/made"), kWeights);
}

// Whoever pushed it may have written anything: where bytes are fetched from is this daemon's word.
TEST_F(PushedFolderTest, AManifestThatSaysThatItLiesElsewhereIsRefused) {
  ASSERT_TRUE(Push().ok());
  Manifest lying = *ParseManifest(TextOf(pushed_ + "/trims.json"));
  lying.variants[0].remote = ManifestRemote{"http://169.254.169.254/", "latest"};
  std::ofstream(pushed_ + "/trims.json") << ManifestToJson(lying);
  const Status status = Import().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("lies elsewhere"));
}

TEST_F(PushedFolderTest, AVariantAloneIsTaken) {
  ASSERT_TRUE(Push().ok());
  const Result<Manifest> manifest = Import("", {Variant::kOrt});
  ASSERT_TRUE(manifest.ok());
  ASSERT_EQ(manifest->variants.size(), 1u);
  EXPECT_EQ(manifest->variants[0].kind, Variant::kOrt);
  EXPECT_FALSE(fs::exists(scratch_ / "incoming/files-0123"));
  EXPECT_EQ(Import("", {Variant::kTensors}).status().code(), StatusCode::kNotFound);
}

TEST_F(PushedFolderTest, PushedAgainItIsWrittenOver) {
  ASSERT_TRUE(Push().ok());
  std::ofstream(pushed_ + "/ort-0123/made") << "damaged";
  ExpectPushAndImport();
}

TEST_F(PushedFolderTest, WhatIsDamagedHereIsNotPushed) {
  std::ofstream(scratch_ / "prepared/ort-0123/made") << "weights of a MODEL";
  EXPECT_EQ(Push().code(), StatusCode::kDataLoss);
  EXPECT_FALSE(IsPushed(pushed_));
}

TEST_F(PushedFolderTest, WhatIsDamagedThereIsNotImported) {
  for (const std::string name :
       {"ort-0123/made", "files-0123/index", "files-0123/source/deep/w.bin"}) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(Push().ok());
    const std::string good = TextOf(pushed_ + "/" + name);
    std::ofstream(pushed_ + "/" + name) << std::string(good.size(), 'x');
    EXPECT_EQ(Import().status().code(), StatusCode::kDataLoss);
    std::ofstream(pushed_ + "/" + name) << "short";
    EXPECT_EQ(Import().status().code(), StatusCode::kDataLoss);
    fs::remove(pushed_ + "/" + name);
    EXPECT_EQ(Import().status().code(), StatusCode::kNotFound);
  }
}

TEST_F(PushedFolderTest, AManifestLeadsNowhereElse) {
  ASSERT_TRUE(Push().ok());
  const std::string good = TextOf(pushed_ + "/trims.json");
  scratch_.Write("secret", kWeights);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    std::ofstream(pushed_ + "/trims.json") << text.replace(at, from.size(), to);
    return Import().status().code();
  };
  EXPECT_EQ(with("\"made\"", "\"../../secret\""), StatusCode::kInvalidArgument);
  EXPECT_EQ(with("\"ort-0123\"", "\"a/b\""), StatusCode::kInvalidArgument);
  EXPECT_EQ(with("\"ort-0123\"", "\"..\""), StatusCode::kInvalidArgument);
  EXPECT_EQ(with("\"prepared\"", "\"source\""), StatusCode::kInvalidArgument);
  EXPECT_EQ(with("{", "["), StatusCode::kInvalidArgument);
  std::ofstream(pushed_ + "/trims.json") << good;
  fs::remove(pushed_ + "/ort-0123/made");
  fs::create_symlink(scratch_ / "secret", pushed_ + "/ort-0123/made");
  EXPECT_EQ(Import().status().code(), StatusCode::kPermissionDenied);
}

TEST_F(PushedFolderTest, AnEmptyOrMissingManifestIsSaid) {
  EXPECT_EQ(Import().status().code(), StatusCode::kNotFound);
  fs::create_directory(pushed_);
  std::ofstream(pushed_ + "/trims.json");
  EXPECT_THAT(Import().status().message(), HasSubstr("0 bytes"));
}

TEST_F(PushedFolderTest, GivenUpItLeavesNoManifest) {
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_EQ(Push(&cancel).code(), StatusCode::kCancelled);
  EXPECT_FALSE(IsPushed(pushed_));
}

TEST_F(PushedFolderTest, EachFailureIsTypedAndTheNextAttemptWorks) {
  const size_t fds = HeldFds();
  for (const fault::Op op : {fault::Op::kOpen, fault::Op::kWrite, fault::Op::kSync,
                             fault::Op::kMakeFolder, fault::Op::kRename}) {
    int nth = 1;
    for (;; ++nth) {
      fs::remove_all(pushed_);
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = ENOSPC});
      const Status status = Push();
      if (!plan.fired()) break;
      EXPECT_EQ(status.code(), StatusCode::kResourceExhausted)
          << fault::OpName(op) << nth << status.ToString();
      EXPECT_FALSE(IsPushed(pushed_)) << fault::OpName(op) << nth;
      EXPECT_EQ(HeldFds(), fds);
    }
    EXPECT_GT(nth, 1) << fault::OpName(op);
  }
  ExpectPushAndImport();
}

}  // namespace
}  // namespace trims::test
