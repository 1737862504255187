// What a manifest may not ask for.
#include <gtest/gtest.h>

#include "loader_fixture.h"
#include "manager/load_plan_check.h"
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
  ManifestExtent& extent() { return plan_.variant.extents[0]; }
  ManifestPiece& piece() { return extent().pieces[0]; }

  void ExpectRefused(StatusCode code = StatusCode::kInvalidArgument) {
    const Status status = Load().status();
    EXPECT_EQ(status.code(), code) << status.ToString();
  }
};

TEST_F(LoadPlanTest, EmptyExtents) {
  extent() = {};
  ExpectRefused();
  plan_.variant.extents.clear();
  ExpectRefused();
}

TEST_F(LoadPlanTest, AbsurdLengths) {
  extent().length = UINT64_MAX;
  ExpectRefused();
  extent().length = 1000;
  plan_.variant.index_length = UINT64_MAX;
  ExpectRefused();
  plan_.variant.index_length = 0;
  ExpectRefused();
}

TEST_F(LoadPlanTest, PiecesThatLeaveTheirExtent) {
  piece().length = 1001;
  ExpectRefused();
  piece().length = UINT64_MAX;
  ExpectRefused();
  piece() = {source_ / "model", 0, UINT64_MAX, 2};
  ExpectRefused();
  piece() = {source_ / "model", 0, 10, UINT64_MAX - 4};
  ExpectRefused();
  piece() = {source_ / "model", 0, 0, 0};
  ExpectRefused();
  piece() = {source_ / "model", UINT64_MAX - 1, 10, 0};
  ExpectRefused();
}

TEST_F(LoadPlanTest, PiecesThatOverlapOrDescend) {
  const std::string path = source_ / "model";
  extent().pieces = {{path, 0, 500, 0}, {path, 499, 500, 499}};
  ExpectRefused();
  extent().pieces = {{path, 500, 500, 500}, {path, 0, 500, 0}};
  ExpectRefused();
}

TEST_F(LoadPlanTest, APieceBeyondTheEndOfItsFileIsDataLoss) {
  piece().offset = 1;
  ExpectRefused(StatusCode::kDataLoss);
}

TEST_F(LoadPlanTest, PathsOutsideTheModel) {
  for (const std::string& path : {std::string("/etc/passwd"), source_.path() + "x/model",
                                  source_.path() + "/", source_.path(), std::string("/")}) {
    piece().path = path;
    const Status status = Load().status();
    EXPECT_TRUE(status.code() == StatusCode::kPermissionDenied ||
                status.code() == StatusCode::kFailedPrecondition)
        << path << ": " << status.ToString();
  }
  for (const std::string& path :
       {source_.path() + "/../etc/passwd", source_.path() + "//etc/passwd", std::string("../model"),
        std::string("a/../../model")}) {
    piece().path = path;
    ExpectRefused();
  }
  piece().path = "";
  ExpectRefused();
}

TEST_F(LoadPlanTest, WithoutASourceNoAbsolutePathIsRead) {
  plan_.source_path = "";
  ExpectRefused(StatusCode::kPermissionDenied);
}

TEST_F(LoadPlanTest, TheIndexLiesInThePreparedFolder) {
  plan_.variant.index_path = "../index";
  ExpectRefused();
  plan_.variant.index_path = "/etc/passwd";
  ExpectRefused(StatusCode::kPermissionDenied);
}

TEST_F(LoadPlanTest, ARelativePreparedFolderIsRefused) {
  plan_.prepared_folder = "here";
  ExpectRefused();
}

TEST_F(LoadPlanTest, MoreThanTheMachineHasIsExhaustedAndTakesNothing) {
  const size_t fds = testing::HeldFds();
  plan_.variant.extents.clear();
  contents_.clear();
  plan_.variant.extents.push_back({uint64_t{1} << 45, std::string(64, '0'), {}});
  WriteIndex();
  ExpectRefused(StatusCode::kResourceExhausted);
  EXPECT_EQ(testing::HeldFds(), fds);
}

}  // namespace
}  // namespace trims
