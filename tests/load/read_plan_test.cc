#include "load/read_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace trims {
namespace {

ManifestPiece Piece(uint64_t at, uint64_t length, uint64_t offset = 0) {
  return {.path = "f", .offset = offset, .length = length, .at = at};
}

ManifestVariant OneExtent(uint64_t length, std::vector<ManifestPiece> pieces) {
  ManifestVariant variant;
  variant.extents.push_back({.length = length, .pieces = std::move(pieces)});
  return variant;
}

TEST(CutIntoReadsTest, NothingIsReadForAnExtentOfZeros) {
  const ManifestVariant variant = OneExtent(100, {});
  EXPECT_TRUE(CutIntoReads(variant, 10)->empty());
}

TEST(CutIntoReadsTest, CutsAtTheChunksOfTheExtent) {
  const ManifestVariant variant = OneExtent(100, {Piece(7, 25, 1000)});
  const Result<std::vector<Read>> reads = CutIntoReads(variant, 10);
  ASSERT_TRUE(reads.ok());
  ASSERT_EQ(reads->size(), 4u);
  const uint64_t expected[][3] = {{1000, 7, 3}, {1003, 10, 10}, {1013, 20, 10}, {1023, 30, 2}};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ((*reads)[i].piece, &variant.extents[0].pieces[0]);
    EXPECT_EQ((*reads)[i].offset, expected[i][0]);
    EXPECT_EQ((*reads)[i].at, expected[i][1]);
    EXPECT_EQ((*reads)[i].length, expected[i][2]);
  }
}

TEST(CutIntoReadsTest, WhatWouldBeWrittenElsewhereIsRefused) {
  for (const std::vector<ManifestPiece>& pieces :
       std::vector<std::vector<ManifestPiece>>{{Piece(0, 101)},
                                               {Piece(100, 1)},
                                               {Piece(101, 0)},
                                               {Piece(2, UINT64_MAX)},
                                               {Piece(UINT64_MAX - 4, 10)},
                                               {Piece(0, 50), Piece(49, 10)},
                                               {Piece(50, 10), Piece(0, 10)}}) {
    EXPECT_EQ(CutIntoReads(OneExtent(100, pieces), 10).status().code(),
              StatusCode::kInvalidArgument);
  }
}

ManifestVariant RandomVariant(std::mt19937* random) {
  const auto upto = [&](uint64_t most) { return (*random)() % (most + 1); };
  ManifestVariant variant;
  for (uint64_t extents = upto(4); extents > 0; --extents) {
    ManifestExtent extent;
    for (uint64_t pieces = upto(6); pieces > 0; --pieces) {
      ManifestPiece piece = Piece(extent.length + upto(1) * upto(50), 1 + upto(60), upto(1000));
      extent.length = piece.at + piece.length;
      extent.pieces.push_back(std::move(piece));
    }
    extent.length += 1 + upto(20);
    variant.extents.push_back(std::move(extent));
  }
  return variant;
}

// Takes the reads of one piece off the front.
void ExpectCovers(const ManifestPiece& piece, size_t extent, uint64_t chunk,
                  std::vector<Read>::const_iterator* read) {
  for (uint64_t done = 0; done < piece.length; ++*read) {
    const Read& next = **read;
    ASSERT_EQ(next.piece, &piece);
    ASSERT_EQ(next.extent, extent);
    ASSERT_EQ(next.offset, piece.offset + done);
    ASSERT_EQ(next.at, piece.at + done);
    ASSERT_GT(next.length, 0u);
    ASSERT_EQ(next.at / chunk, (next.at + next.length - 1) / chunk) << "crosses a boundary";
    done += next.length;
    ASSERT_LE(done, piece.length);
  }
}

TEST(CutIntoReadsTest, CoversExactlyThePiecesInOrderAndNeverCrossesAChunk) {
  std::mt19937 random(20);
  for (int round = 0; round < 2000; ++round) {
    const ManifestVariant variant = RandomVariant(&random);
    const uint64_t chunk = 1 + random() % 32;
    const Result<std::vector<Read>> reads = CutIntoReads(variant, chunk);
    ASSERT_TRUE(reads.ok()) << reads.status().ToString();
    auto read = reads->begin();
    for (size_t extent = 0; extent < variant.extents.size(); ++extent) {
      for (const ManifestPiece& piece : variant.extents[extent].pieces) {
        ASSERT_NO_FATAL_FAILURE(ExpectCovers(piece, extent, chunk, &read)) << "round " << round;
      }
    }
    ASSERT_EQ(read, reads->end());
  }
}

}  // namespace
}  // namespace trims
