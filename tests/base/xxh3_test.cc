#include "base/xxh3.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace trims {
namespace {

std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// xxHash's own: XXH3_64bits, seed 0.
TEST(Xxh3Test, KnownAnswers) {
  EXPECT_EQ(Xxh3Of({}), 0x2d06800538d394c2u);
  EXPECT_EQ(Xxh3Of(BytesOf("abc")), 0x78af5f94892f3950u);
}

TEST(Xxh3Test, StreamsMovesAndBeginsAnew) {
  const std::string text(5000, 'x');
  Xxh3 hash;
  hash.Update(BytesOf(text).first(1));
  Xxh3 moved = std::move(hash);
  moved.Update({});
  moved.Update(BytesOf(text).subspan(1));
  EXPECT_EQ(moved.Finish(), Xxh3Of(BytesOf(text)));
  moved.Update(BytesOf("abc"));
  EXPECT_EQ(moved.Finish(), Xxh3Of(BytesOf("abc")));
}

}  // namespace
}  // namespace trims
