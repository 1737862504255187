// What an image may not ask for, and where its files are looked for.
#include <gtest/gtest.h>

#include "loader_fixture.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::Bytes;

class ImageFilesTest : public test::LoaderFixture {
 protected:
  ImageFilesTest() {
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

TEST_F(ImageFilesTest, PiecesOutsideTheirExtentAreRefusedBeforeAnythingIsWritten) {
  piece().length = 1001;
  ExpectRefused();
  piece() = {PieceOrigin::kSource, "model", 0, 10, UINT64_MAX - 4};
  ExpectRefused();
}

TEST_F(ImageFilesTest, APieceBeyondTheEndOfItsFileIsDataLoss) {
  piece().offset = 1;
  ExpectRefused(StatusCode::kDataLoss);
}

TEST_F(ImageFilesTest, PathsOutsideTheModel) {
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

TEST_F(ImageFilesTest, WithoutASourceNothingIsReadFromIt) {
  image_.source = "";
  ExpectRefused();
  image_.source = "s3://bucket/model";
  ExpectRefused(StatusCode::kUnimplemented);
}

TEST_F(ImageFilesTest, TheIndexLiesInTheVariantsFolder) {
  for (const char* path : {"../index", "/etc/passwd"}) {
    image_.variant.index_path = path;
    ExpectRefused();
  }
  image_.variant.index_path = "index";
  image_.variant.folder = "../" + prepared_.path().substr(prepared_.path().rfind('/') + 1);
  ExpectRefused();
}

TEST_F(ImageFilesTest, MoreThanTheMachineHasIsExhaustedAndTakesNothing) {
  const size_t fds = test::HeldFds();
  image_.variant.extents.clear();
  contents_.clear();
  image_.variant.extents.push_back({.length = uint64_t{1} << 45, .pieces = {}});
  WriteIndex();
  ExpectRefused(StatusCode::kResourceExhausted);
  EXPECT_EQ(test::HeldFds(), fds);
}

}  // namespace
}  // namespace trims
