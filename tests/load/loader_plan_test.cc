// What a manifest may not ask for.
#include <gtest/gtest.h>

#include "load/load_plan_check.h"
#include "loader_fixture.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using testing::Bytes;

class LoadPlanTest : public testing::LoaderFixture {
 protected:
  LoadPlanTest() {
    AddFile("model", Bytes(1000));
    WriteIndex();
  }
  ManifestExtent& extent() { return image_.variant.extents[0]; }
  ManifestPiece& piece() { return extent().pieces[0]; }

  void ExpectRefused(StatusCode code = StatusCode::kInvalidArgument) {
    const Status status = Load().status();
    EXPECT_EQ(status.code(), code) << status.ToString();
  }
};

TEST_F(LoadPlanTest, EmptyExtents) {
  extent() = {};
  ExpectRefused();
  image_.variant.extents.clear();
  ExpectRefused();
}

TEST_F(LoadPlanTest, AbsurdLengths) {
  extent().length = UINT64_MAX;
  ExpectRefused();
  extent().length = 1000;
  image_.variant.index_length = UINT64_MAX;
  ExpectRefused();
  image_.variant.index_length = 0;
  ExpectRefused();
}

TEST_F(LoadPlanTest, PiecesThatLeaveTheirExtent) {
  piece().length = 1001;
  ExpectRefused();
  piece().length = UINT64_MAX;
  ExpectRefused();
  piece() = {PieceOrigin::kSource, "model", 0, UINT64_MAX, 2};
  ExpectRefused();
  piece() = {PieceOrigin::kSource, "model", 0, 10, UINT64_MAX - 4};
  ExpectRefused();
  piece() = {PieceOrigin::kSource, "model", 0, 0, 0};
  ExpectRefused();
  piece() = {PieceOrigin::kSource, "model", UINT64_MAX - 1, 10, 0};
  ExpectRefused();
}

TEST_F(LoadPlanTest, PiecesThatOverlapOrDescend) {
  const auto piece = [](uint64_t at) {
    return ManifestPiece{PieceOrigin::kSource, "model", at, 500, at};
  };
  extent().pieces = {piece(0), piece(499)};
  ExpectRefused();
  extent().pieces = {piece(500), piece(0)};
  ExpectRefused();
}

TEST_F(LoadPlanTest, APieceBeyondTheEndOfItsFileIsDataLoss) {
  piece().offset = 1;
  ExpectRefused(StatusCode::kDataLoss);
}

TEST_F(LoadPlanTest, PathsOutsideTheModel) {
  for (const PieceOrigin origin : {PieceOrigin::kSource, PieceOrigin::kPrepared}) {
    piece().origin = origin;
    for (const std::string path : {"/etc/passwd", "../model", "a/../../model", "a//b", "/", "."}) {
      piece().path = path;
      ExpectRefused();
    }
    piece().path = source_ / "model";
    ExpectRefused();
    piece().path = "";
    ExpectRefused();
  }
}

TEST_F(LoadPlanTest, WithoutASourceNothingIsReadFromIt) {
  image_.source = "";
  ExpectRefused();
  image_.source = "s3://bucket/model";
  ExpectRefused(StatusCode::kUnimplemented);
}

TEST_F(LoadPlanTest, TheIndexLiesInTheVariantsFolder) {
  for (const char* path : {"../index", "/etc/passwd"}) {
    image_.variant.index_path = path;
    ExpectRefused();
  }
  image_.variant.index_path = "index";
  image_.variant.folder = "../" + prepared_.path().substr(prepared_.path().rfind('/') + 1);
  ExpectRefused();
}

TEST_F(LoadPlanTest, ARelativePreparedFolderIsRefused) {
  plan_.prepared_root = "here";
  ExpectRefused();
}

TEST_F(LoadPlanTest, MoreThanTheMachineHasIsExhaustedAndTakesNothing) {
  const size_t fds = testing::HeldFds();
  image_.variant.extents.clear();
  contents_.clear();
  image_.variant.extents.push_back({uint64_t{1} << 45, std::string(64, '0'), {}});
  WriteIndex();
  ExpectRefused(StatusCode::kResourceExhausted);
  EXPECT_EQ(testing::HeldFds(), fds);
}

}  // namespace
}  // namespace trims
