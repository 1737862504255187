#include "base/utf8.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

TEST(Utf8, MalformedBytesAreRefused) {
  EXPECT_FALSE(IsUtf8("\xff"));
  EXPECT_FALSE(IsUtf8("\xc3"));              // cut off
  EXPECT_FALSE(IsUtf8("\xc0\xaf"));          // '/' the long way
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));      // a surrogate
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_TRUE(IsUtf8("\xf0\x9f\x98\x80"));
  EXPECT_TRUE(IsUtf8(""));
}

}  // namespace
}  // namespace trims
