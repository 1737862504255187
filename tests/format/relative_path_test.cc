#include "format/relative_path.h"

#include <gtest/gtest.h>

#include <string>

namespace trims {
namespace {

TEST(RelativePath, PlainOnesPass) {
  EXPECT_TRUE(IsPlainRelativePath("a"));
  EXPECT_TRUE(IsPlainRelativePath("a/b.c/..d"));
  EXPECT_TRUE(IsPlainRelativePath("modèle/重み"));
}

TEST(RelativePath, WhatCouldLeadElsewhereIsRefused) {
  for (const char* path :
       {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\nb", "\x7f"}) {
    EXPECT_FALSE(IsPlainRelativePath(path)) << path;
  }
  EXPECT_FALSE(IsPlainRelativePath(std::string("a\0b", 3)));
  EXPECT_FALSE(IsPlainRelativePath(std::string(5000, 'a')));
}

TEST(RelativePath, MalformedUtf8IsRefused) {
  EXPECT_FALSE(IsUtf8("\xff"));
  EXPECT_FALSE(IsUtf8("\xc3"));              // cut off
  EXPECT_FALSE(IsUtf8("\xc0\xaf"));          // '/' the long way
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));      // a surrogate
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_TRUE(IsUtf8("\xf0\x9f\x98\x80"));
}

}  // namespace
}  // namespace trims
