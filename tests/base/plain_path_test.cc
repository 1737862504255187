#include "base/plain_path.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace trims {
namespace {

using namespace std::string_view_literals;

TEST(PlainPathTest, NamesOfWhatLiesBeneath) {
  for (const std::string_view path : {"a", "a/b.bin", "..a/b..", ".a", "m\u00fc #1"}) {
    EXPECT_TRUE(IsPlainPath(path)) << path;
  }
}

TEST(PlainPathTest, EverythingElseIsRefused) {
  for (const std::string_view path :
       {""sv, "/"sv, "/a"sv, "a/"sv, "a//b"sv, "."sv, ".."sv, "a/."sv, "./a"sv, "a/../b"sv,
        "../a"sv, "a\0b"sv, "a\nb"sv, "a\xc2\x9b[2J"sv, "\x7f"sv, "\xff"sv}) {
    EXPECT_FALSE(IsPlainPath(path)) << path;
  }
  EXPECT_FALSE(IsPlainPath(std::string(4097, 'a')));
}

TEST(PlainPathTest, WhatExportersWriteForOne) {
  EXPECT_EQ(PlainPathOf("./sub//./w.bin"), "sub/w.bin");
  for (const std::string_view path :
       {""sv, "."sv, "/w"sv, "../w"sv, "sub/../w"sv, "a/../../w"sv, "w/"sv, "w\nx"sv}) {
    EXPECT_EQ(PlainPathOf(path), std::nullopt) << path;
  }
}

TEST(PlainPathTest, TheFolderOfAPath) {
  EXPECT_EQ(FolderOfPath("a/b/c"), "a/b/");
  EXPECT_EQ(FolderOfPath("c"), "");
}

}  // namespace
}  // namespace trims
