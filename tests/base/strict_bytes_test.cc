#include "support/strict_bytes.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <array>

namespace trims {
namespace {

using test::StrictBytes;
using test::Strictness;

TEST(StrictBytes, GivesWhatThereIs) {
  const StrictBytes bytes("abcdef", Strictness::kOnce);
  std::array<std::byte, 3> out;
  EXPECT_TRUE(bytes.ReadAt(3, out).ok());
  EXPECT_TRUE(bytes.ReadAt(0, out).ok());
  EXPECT_EQ(out[2], std::byte{'c'});
  EXPECT_EQ(bytes.ReadAt(4, out).code(), StatusCode::kDataLoss);
}

TEST(StrictBytes, FailsATestThatGoesOnAfterTheEnd) {
  const StrictBytes bytes("abc");
  std::array<std::byte, 4> out;
  EXPECT_EQ(bytes.ReadAt(0, out).code(), StatusCode::kDataLoss);
  EXPECT_NONFATAL_FAILURE((void)bytes.ReadAt(0, std::span(out).first(1)), "after the end");
}

TEST(StrictBytes, FailsATestThatAsksForNothingOrTwice) {
  const StrictBytes bytes("abcdef", Strictness::kOnce);
  std::array<std::byte, 3> out;
  EXPECT_NONFATAL_FAILURE((void)bytes.ReadAt(0, {}), "of nothing");
  EXPECT_TRUE(bytes.ReadAt(0, out).ok());
  EXPECT_NONFATAL_FAILURE((void)bytes.ReadAt(2, out), "read twice");
}

}  // namespace
}  // namespace trims
