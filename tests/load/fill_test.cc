#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "format/chunk_digests.h"
#include "loader_fixture.h"
#include "store/machine_memory.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::Bytes;
using test::HeldFds;
using ::testing::HasSubstr;

class FillTest : public test::LoaderFixture {
 protected:
  void ExpectLoads() {
    const Result<ResidentBytes> loaded = Load();
    ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
    ASSERT_EQ(loaded->extents.size(), contents_.size());
    for (size_t i = 0; i < contents_.size(); ++i) {
      EXPECT_TRUE(Content(loaded->extents[i]) == contents_[i]) << "extent " << i;
    }
    EXPECT_EQ(loaded->index.length, image_.variant.index_length);
  }

  // The message of the load that fails with `code` and leaves nothing.
  std::string Failure(StatusCode code) {
    const size_t fds = HeldFds();
    const Status status = Load().status();
    EXPECT_EQ(status.code(), code) << status.ToString();
    EXPECT_EQ(HeldFds(), fds);
    EXPECT_EQ(test::MappedMemfds(), 0u);
    return status.message();
  }
};

TEST_F(FillTest, OneSmallFile) {
  AddFile("model", Bytes(1000));
  WriteIndex();
  ExpectLoads();
}

TEST_F(FillTest, FilesAroundEveryBoundaryOfChunksAndRegions) {
  constexpr size_t kMiB = size_t{1} << 20;
  unsigned seed = 1;
  for (const size_t size : {size_t{1}, size_t{4096}, 2 * kMiB, 4 * kMiB - 1, 4 * kMiB, 4 * kMiB + 1,
                            8 * kMiB, 33 * kMiB + 5}) {
    AddFile("model" + std::to_string(seed), Bytes(size, seed));
    ++seed;
  }
  WriteIndex();
  ExpectLoads();
}

TEST_F(FillTest, GapsBetweenPiecesAreZero) {
  const std::string file = Bytes(9'000'000);
  source_.Write("model", file);
  std::string extent(12'000'000, '\0');
  extent.replace(100, 5'000'000, file, 7, 5'000'000);
  extent.replace(6'000'000, 3'000'000, file, 5'000'100, 3'000'000);
  AddExtent(extent, {{PieceOrigin::kSource, "model", 7, 5'000'000, 100},
                     {PieceOrigin::kSource, "model", 5'000'100, 3'000'000, 6'000'000}});
  AddExtent(std::string(5'000'000, '\0'), {});
  WriteIndex();
  ExpectLoads();
}

TEST_F(FillTest, ManySmallFilesInOneExtentNeedFewDescriptors) {
  std::string extent;
  std::vector<ManifestPiece> pieces;
  for (unsigned i = 0; i < 3000; ++i) {
    const std::string bytes = Bytes(i % 5000 + 1, i);
    const std::string name = "f/" + std::to_string(i);
    source_.Write(name, bytes);
    pieces.push_back({PieceOrigin::kSource, name, 0, bytes.size(), extent.size()});
    extent += bytes;
  }
  AddExtent(extent, std::move(pieces));
  WriteIndex();
  ExpectLoads();
}

TEST_F(FillTest, AHundredThousandPieces) {
  const std::string file = Bytes(100'000 * 60);
  source_.Write("model", file);
  std::vector<ManifestPiece> pieces;
  for (size_t i = 0; i < 100'000; ++i) {
    pieces.push_back({PieceOrigin::kSource, "model", i * 60, 60, i * 60});
  }
  AddExtent(file, std::move(pieces));
  WriteIndex();
  ExpectLoads();
}

TEST_F(FillTest, AsManyExtentsAsAClientCanBeSent) {
  for (unsigned i = 0; i < 249; ++i) AddFile("m" + std::to_string(i), Bytes(i * 700 + 1, i));
  WriteIndex();
  ExpectLoads();
  AddFile("one more", Bytes(1));
  Failure(StatusCode::kDataLoss);
}

TEST_F(FillTest, PreparedFilesLieInTheVariantsFolder) {
  const std::string bytes = Bytes(5'000'000);
  prepared_.Write("files/weights/0", bytes);
  source_.Write("weights/0", Bytes(5'000'000, 2));
  AddExtent(bytes, {{PieceOrigin::kPrepared, "weights/0", 0, bytes.size(), 0}});
  WriteIndex();
  ExpectLoads();
}

TEST_F(FillTest, TheSourceMayBeTheFileItself) {
  AddFile("model", Bytes(1000));
  image_.source = SourceUri::OfPath(source_ / "model").ToString();
  WriteIndex();
  ExpectLoads();
  image_.variant.extents[0].pieces[0].path = "data";  // what it needs lies beside it
  source_.Write("data", Bytes(1000));
  EXPECT_TRUE(Load().ok());
  image_.variant.extents[0].pieces[0].path = "none";
  EXPECT_FALSE(Load().ok());
}

TEST_F(FillTest, AFolderMayHoldAFileOfItsOwnName) {
  source_.Write("net/net", Bytes(1000));
  AddExtent(Bytes(1000), {{PieceOrigin::kSource, "net", 0, 1000, 0}});
  image_.source = SourceUri::OfPath(source_ / "net").ToString();
  WriteIndex();
  ExpectLoads();
}

TEST_F(FillTest, AnExtentOfFilesIsExactlyTheFile) {
  image_.variant.kind = Variant::kFiles;
  AddFile("model", Bytes(3'000'001));
  WriteIndex();
  const Result<ResidentBytes> loaded = Load();
  ASSERT_TRUE(loaded.ok());
  struct stat found = {};
  ASSERT_EQ(::fstat(loaded->extents[0].fd.get(), &found), 0);
  EXPECT_EQ(found.st_size, 3'000'001);
}

TEST_F(FillTest, ATruncatedFileIsDataLossWithBothLengths) {
  AddFile("model", Bytes(10'000'000));
  WriteIndex();
  std::filesystem::resize_file(source_ / "model", 9'999'999);
  EXPECT_THAT(Failure(StatusCode::kDataLoss),
              HasSubstr("9999999 bytes, expected at least 10000000"));
}

TEST_F(FillTest, AFileThatHasGrownStillHoldsTheModel) {
  AddFile("model", Bytes(10'000'000));
  WriteIndex();
  std::filesystem::resize_file(source_ / "model", 10'000'001);
  ExpectLoads();
}

TEST_F(FillTest, OneChangedByteIsDataLossAndTheFileIsNamed) {
  AddFile("other", Bytes(100));
  AddFile("model", Bytes(10'000'000));
  WriteIndex();
  for (const size_t at : {size_t{0}, size_t{5'000'000}, size_t{9'999'999}}) {
    std::string changed = Bytes(10'000'000);
    changed[at] ^= 1;
    source_.Write("model", changed);
    EXPECT_THAT(Failure(StatusCode::kDataLoss), HasSubstr(source_ / "model"));
  }
}

TEST_F(FillTest, AFileThatIsGoneIsNotFound) {
  AddFile("first", Bytes(10'000'000));
  AddFile("model", Bytes(10'000'000));
  WriteIndex();
  std::filesystem::remove(source_ / "model");
  EXPECT_THAT(Failure(StatusCode::kNotFound), HasSubstr("source files of model"));
}

TEST_F(FillTest, ADamagedIndexIsDataLoss) {
  AddFile("model", Bytes(1000));
  WriteIndex();
  const std::string good = image_.variant.index_sha256;
  image_.variant.index_sha256 = std::string(64, '0');
  Failure(StatusCode::kDataLoss);
  image_.variant.index_sha256 = good;
  ++image_.variant.index_length;
  Failure(StatusCode::kDataLoss);
  --image_.variant.index_length;
  std::filesystem::remove(prepared_ / "files/index");
  Failure(StatusCode::kNotFound);
}

TEST_F(FillTest, AnIndexOfOtherExtentsIsDataLoss) {
  AddFile("model", Bytes(1000));
  WriteIndex();
  AddFile("more", Bytes(1000));
  Failure(StatusCode::kDataLoss);
}

TEST_F(FillTest, ALinkOutOfTheSourceIsRefused) {
  const test::ScratchFolder elsewhere;
  elsewhere.Write("secret", Bytes(1000));
  AddFile("model", Bytes(1000));
  WriteIndex();
  std::filesystem::remove(source_ / "model");
  std::filesystem::create_symlink(elsewhere / "secret", source_ / "model");
  Failure(StatusCode::kPermissionDenied);
}

// Each would fit alone.
TEST_F(FillTest, ExtentsThatDoNotFitTogetherAreRefusedBeforeAnyIsAllocated) {
  const uint64_t available = ReadMachineMemory().available;
  const uint64_t each = available / 4 * 3;
  for (int i = 0; i < 2; ++i) {
    image_.variant.extents.push_back({.length = each,
                                      .sha256 = std::string(64, '0'),
                                      .xxh3 = std::vector<uint64_t>(ChunkCount(each)),
                                      .pieces = {}});
  }
  WriteIndex();
  const Result<ResidentBytes> loaded = Load();
  EXPECT_EQ(loaded.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(loaded.status().message(), HasSubstr(std::to_string(2 * each)));
}

TEST_F(FillTest, ALoadThatIsCancelledOnItsWayEndsEarly) {
  constexpr uint64_t kBytes = 64 << 20;
  AddFile("model", Bytes(kBytes));
  WriteIndex();
  StatusCode code = StatusCode::kOk;
  // A busy machine may be through before it is told: then once more.
  for (int tries = 0; tries < 20 && code == StatusCode::kOk; ++tries) {
    control_ = std::make_shared<FillControl>();
    std::thread canceller([&] {
      while (control_->bytes_done() == 0) std::this_thread::yield();
      control_->Cancel();
    });
    code = Load().status().code();
    canceller.join();
  }
  EXPECT_EQ(code, StatusCode::kCancelled);
  EXPECT_LT(control_->bytes_done(), kBytes);
}

TEST_F(FillTest, ALoadThatWasCancelledBeforeItBeganReadsNothing) {
  AddFile("model", Bytes(10'000'000));
  WriteIndex();
  control_->Cancel();
  Failure(StatusCode::kCancelled);
  EXPECT_EQ(control_->bytes_done(), 0u);
}

}  // namespace
}  // namespace trims
