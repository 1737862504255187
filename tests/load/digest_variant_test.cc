#include "load/digest_variant.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "base/fault.h"
#include "format/chunk_digests.h"
#include "loader_fixture.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::Bytes;

constexpr size_t kChunk = kDigestChunkBytes;

class DigestVariantTest : public test::LoaderFixture {
 protected:
  Result<std::vector<ExtentDigests>> Digest() {
    return DigestVariant(image_, options_.prepared_root, control_.get());
  }
  void ExpectRecorded() {
    const Result<std::vector<ExtentDigests>> digests = Digest();
    ASSERT_TRUE(digests.ok()) << digests.status().ToString();
    ASSERT_EQ(digests->size(), image_.variant.extents.size());
    for (size_t i = 0; i < digests->size(); ++i) {
      EXPECT_EQ((*digests)[i].sha256, image_.variant.extents[i].sha256) << i;
      EXPECT_EQ((*digests)[i].xxh3, image_.variant.extents[i].xxh3) << i;
    }
  }
};

TEST_F(DigestVariantTest, FilesOfAnyLength) {
  for (const size_t length : {size_t{1}, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk}) {
    AddFile("file" + std::to_string(length), Bytes(length, static_cast<unsigned>(length)));
  }
  ExpectRecorded();
}

TEST_F(DigestVariantTest, GapsAreZeroWhereverTheyLie) {
  const std::string first = Bytes(1000, 1);
  const std::string second = Bytes(kChunk + 500, 2);
  source_.Write("first", first);
  prepared_.Write("files/second", second);
  std::string extent(4 * kChunk, '\0');
  extent.replace(10, first.size(), first);
  extent.replace(kChunk - 100, second.size(), second);
  AddExtent(extent, {{PieceOrigin::kSource, "first", 0, first.size(), 10},
                     {PieceOrigin::kPrepared, "second", 0, second.size(), kChunk - 100}});
  ExpectRecorded();
  EXPECT_EQ(control_->bytes_done(), extent.size());
}

TEST_F(DigestVariantTest, AnExtentWithoutPiecesIsAllZeros) {
  AddExtent(std::string(kChunk + 1, '\0'), {});
  ExpectRecorded();
}

TEST_F(DigestVariantTest, WhatIsGoneIsSaidAndNothingStaysOpen) {
  AddFile("a", Bytes(2 * kChunk));
  AddFile("gone", Bytes(10));
  std::filesystem::remove(source_ / "gone");
  const size_t fds = test::HeldFds();
  EXPECT_EQ(Digest().status().code(), StatusCode::kNotFound);
  EXPECT_EQ(test::HeldFds(), fds);
}

TEST_F(DigestVariantTest, AReadErrorIsSaid) {
  AddFile("a", Bytes(2 * kChunk));
  const fault::ScopedPlan plan({.op = fault::Op::kRead, .nth = 1, .error = EIO});
  EXPECT_FALSE(Digest().ok());
  EXPECT_TRUE(plan.fired());
}

TEST_F(DigestVariantTest, CancelledItSaysSo) {
  AddFile("a", Bytes(2 * kChunk));
  control_->Cancel();
  EXPECT_EQ(Digest().status().code(), StatusCode::kCancelled);
}

TEST_F(DigestVariantTest, WithoutThreadsTheCallerDoesAll) {
  AddFile("a", Bytes(3 * kChunk));
  const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = 1, .error = EAGAIN});
  ExpectRecorded();
}

}  // namespace
}  // namespace trims
