#include "base/random_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace trims {
namespace {

using ::testing::HasSubstr;

std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(SpanBytes, ReadsWhatThereIsAndNoMore) {
  const std::string text = "0123";
  const SpanBytes bytes(BytesOf(text), "digits");
  std::array<std::byte, 2> out;
  ASSERT_TRUE(bytes.ReadAt(2, out).ok());
  EXPECT_EQ(out[1], std::byte{'3'});
  EXPECT_EQ(bytes.ReadAt(3, out).code(), StatusCode::kDataLoss);
  EXPECT_THAT(bytes.ReadAt(UINT64_MAX, out).message(), HasSubstr("'digits' is truncated"));
}

TEST(ForEachChunk, GivesTheRangeInStepsAndStopsAtTheFirstError) {
  const std::string text = "0123456789";
  std::array<std::byte, 4> buffer;
  std::vector<size_t> steps;
  const auto use = [&](std::span<const std::byte> chunk) {
    steps.push_back(chunk.size());
    return Status();
  };
  EXPECT_TRUE(ForEachChunk(SpanBytes(BytesOf(text)), 1, 9, buffer, use).ok());
  EXPECT_EQ(steps, (std::vector<size_t>{4, 4, 1}));
  EXPECT_EQ(ForEachChunk(SpanBytes(BytesOf(text)), 5, 6, buffer, use).code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(steps.size(), 4u);
}

}  // namespace
}  // namespace trims
