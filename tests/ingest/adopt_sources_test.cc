// AdoptSources on real folders: what it links, and that neither names nor folders lead it elsewhere.
#include "ingest/adopt_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/fault.h"
#include "support/held_resources.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;

class AdoptSourcesTest : public ::testing::Test {
 protected:
  AdoptSourcesTest() {
    scratch_.Write("download/w.bin", "weights");
    scratch_.Write("download/deep/er/x.bin", "more");
    scratch_.Write("secret", "somebody's");
    fs::create_directories(scratch_ / "incoming/files");
    variant_.kind = Variant::kFiles;
    variant_.folder = "files";
  }

  void AddPiece(PieceOrigin origin, const std::string& path) {
    variant_.extents.push_back({.length = 4, .pieces = {{origin, path, 0, 4, 0}}});
  }

  Status Adopt() {
    manifest_.variants = {variant_};
    return AdoptSources(scratch_ / "download", scratch_ / "incoming", &manifest_);
  }
  const ManifestPiece& Piece(size_t extent) const {
    return manifest_.variants[0].extents[extent].pieces[0];
  }
  std::string InVariant(const std::string& name) const {
    return scratch_ / "incoming/files/" + name;
  }

  ScratchFolder scratch_;
  ManifestVariant variant_;
  Manifest manifest_;
};

ino_t InodeOf(const std::string& path) {
  struct stat state {};
  return ::stat(path.c_str(), &state) == 0 ? state.st_ino : 0;
}

TEST_F(AdoptSourcesTest, FilesGetASecondNameAndThePiecesIt) {
  AddPiece(PieceOrigin::kSource, "w.bin");
  AddPiece(PieceOrigin::kPrepared, "made");
  AddPiece(PieceOrigin::kSource, "deep/er/x.bin");
  AddPiece(PieceOrigin::kSource, "w.bin");
  const Status status = Adopt();
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(Piece(0).origin, PieceOrigin::kPrepared);
  EXPECT_EQ(Piece(0).path, "source/w.bin");
  EXPECT_EQ(Piece(1).path, "made");
  EXPECT_EQ(Piece(2).path, "source/deep/er/x.bin");
  EXPECT_EQ(Piece(3).path, "source/w.bin");
  EXPECT_EQ(InodeOf(InVariant("source/w.bin")), InodeOf(scratch_ / "download/w.bin"));
  EXPECT_TRUE(fs::exists(InVariant("source/deep/er/x.bin")));
}

TEST_F(AdoptSourcesTest, WhatReadsNoSourceIsLeftAsItIs) {
  AddPiece(PieceOrigin::kPrepared, "made");
  EXPECT_TRUE(Adopt().ok());
  EXPECT_FALSE(fs::exists(InVariant("source")));
}

TEST_F(AdoptSourcesTest, ANameLeadsNowhereElse) {
  for (const std::string& name :
       std::vector<std::string>{"", "..", "../secret", "/etc/passwd", "a//b"}) {
    variant_.extents.clear();
    AddPiece(PieceOrigin::kSource, name);
    fs::remove_all(InVariant("source"));
    EXPECT_EQ(Adopt().code(), StatusCode::kInvalidArgument) << name;
  }
  variant_.extents.clear();
  AddPiece(PieceOrigin::kSource, "none");
  fs::remove_all(InVariant("source"));
  EXPECT_EQ(Adopt().code(), StatusCode::kNotFound);
}

TEST_F(AdoptSourcesTest, AFolderLeadsNowhereElse) {
  AddPiece(PieceOrigin::kSource, "w.bin");
  fs::create_directory(scratch_ / "elsewhere");
  fs::create_directory_symlink(scratch_ / "elsewhere", scratch_ / "incoming/link");
  for (const std::string& folder :
       std::vector<std::string>{"link", "..", "", "a/b", scratch_ / "elsewhere"}) {
    variant_.folder = folder;
    EXPECT_FALSE(Adopt().ok()) << folder;
  }
  EXPECT_TRUE(fs::is_empty(scratch_ / "elsewhere"));
}

TEST_F(AdoptSourcesTest, WhatTheSandboxPutThereIsNotUsed) {
  AddPiece(PieceOrigin::kSource, "w.bin");
  fs::create_directory(scratch_ / "elsewhere");
  fs::create_directory_symlink(scratch_ / "elsewhere", InVariant("source"));
  EXPECT_FALSE(Adopt().ok());
  EXPECT_TRUE(fs::is_empty(scratch_ / "elsewhere"));
}

TEST_F(AdoptSourcesTest, EachFailureIsTypedAndHoldsNothing) {
  AddPiece(PieceOrigin::kSource, "deep/er/x.bin");
  const size_t fds = HeldFds();
  for (const fault::Op op : {fault::Op::kOpen, fault::Op::kMakeFolder, fault::Op::kRename}) {
    int nth = 1;
    for (;; ++nth) {
      fs::remove_all(InVariant("source"));
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = ENOSPC});
      const Status status = Adopt();
      if (!plan.fired()) break;
      EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.ToString();
      EXPECT_EQ(HeldFds(), fds);
    }
    EXPECT_GT(nth, 1) << fault::OpName(op);
  }
}

}  // namespace
}  // namespace trims::test
