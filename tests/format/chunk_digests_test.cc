#include "format/chunk_digests.h"

#include <gtest/gtest.h>

#include <string>

namespace trims {
namespace {

std::string Content(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 1000);
  return bytes;
}
std::span<const std::byte> AsBytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

constexpr size_t kChunk = kDigestChunkBytes;

TEST(ChunkDigests, ChunksAreCountedWithTheShortOne) {
  EXPECT_EQ(ChunkCount(0), 0u);
  EXPECT_EQ(ChunkCount(1), 1u);
  EXPECT_EQ(ChunkCount(kChunk), 1u);
  EXPECT_EQ(ChunkCount(kChunk + 1), 2u);
}

TEST(ChunkDigests, TheTreesRootIsOfTheChunksDigests) {
  const std::string bytes = Content(kChunk + 5);
  Sha256 first;
  first.Update(AsBytes(bytes).first(kChunk));
  Sha256 second;
  second.Update(AsBytes(bytes).subspan(kChunk));
  Sha256 root;
  root.Update(first.Finish());
  root.Update(second.Finish());
  EXPECT_EQ(TreeDigestOf(AsBytes(bytes)), root.FinishHex());
}

TEST(ChunkDigests, SumsDoNotDependOnHowTheBytesCome) {
  const std::string bytes = Content(2 * kChunk + 17);
  const std::vector<uint64_t> whole = ChunkSumsOf(AsBytes(bytes));
  ASSERT_EQ(whole.size(), 3u);
  EXPECT_EQ(whole[0], Xxh3Of(AsBytes(bytes).first(kChunk)));
  for (const size_t step : {size_t{1000}, kChunk - 1, kChunk + 1}) {
    ChunkSums sums;
    for (size_t at = 0; at < bytes.size(); at += step) {
      sums.Update(AsBytes(bytes).subspan(at, std::min(step, bytes.size() - at)));
    }
    EXPECT_EQ(sums.Finish(), whole) << step;
    EXPECT_TRUE(sums.Finish().empty());
  }
}

TEST(ChunkDigests, ZerosAreBytes) {
  const std::string bytes(kChunk + 1, '\0');
  ChunkSums sums;
  sums.UpdateZeros(bytes.size());
  EXPECT_EQ(sums.Finish(), ChunkSumsOf(AsBytes(bytes)));
}

TEST(ChunkDigests, HexComesBack) {
  const std::vector<uint64_t> sums = {0, 1, ~uint64_t{0}, 0x0123456789abcdef};
  const std::string hex = ChunkSumsToHex(sums);
  EXPECT_EQ(hex.size(), 64u);
  EXPECT_EQ(hex.substr(48), "0123456789abcdef");
  EXPECT_EQ(*ChunkSumsFromHex(hex), sums);
}

TEST(ChunkDigests, OtherTextIsRefused) {
  for (const char* text : {"0", "0123456789abcdeg", "0123456789ABCDEF", "0123456789abcdef0"}) {
    EXPECT_EQ(ChunkSumsFromHex(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_TRUE(ChunkSumsFromHex("")->empty());
}

}  // namespace
}  // namespace trims
