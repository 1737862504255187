#include "tools/trims/suggest.h"

#include <gtest/gtest.h>

#include <vector>

namespace trims::cli {
namespace {

TEST(EditDistanceTest, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("status", "status"), 0u);
  EXPECT_EQ(EditDistance("status", "statsu"), 1u) << "a swap is one slip";
  EXPECT_EQ(EditDistance("status", "stats"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

class NearestTest : public testing::Test {
 protected:
  const std::vector<std::string> commands_ = {"add",    "ls",     "show",    "rm",
                                              "status", "doctor", "version", "completion"};
};

TEST_F(NearestTest, FindsSlips) {
  EXPECT_EQ(Nearest("lss", commands_), "ls");
  EXPECT_EQ(Nearest("sl", commands_), "ls");
  EXPECT_EQ(Nearest("ad", commands_), "add");
  EXPECT_EQ(Nearest("stauts", commands_), "status");
  EXPECT_EQ(Nearest("docter", commands_), "doctor");
}

TEST_F(NearestTest, FindsBeginnings) { EXPECT_EQ(Nearest("comp", commands_), "completion"); }

TEST_F(NearestTest, NamesNothingForAnotherWord) {
  EXPECT_EQ(Nearest("launch", commands_), "");
  EXPECT_EQ(Nearest("x", {}), "");
}

}  // namespace
}  // namespace trims::cli
