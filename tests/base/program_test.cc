#include "base/program.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

TEST(FindProgramTest, PrefersTheFoldersToThePath) {
  EXPECT_EQ(FindProgram("sh", {"/nonexistent", "/bin"}), "/bin/sh");
  EXPECT_NE(FindProgram("sh", {}), "");
  EXPECT_EQ(FindProgram("no-such-program-anywhere", {"/bin"}), "");
}

TEST(FindProgramTest, AFolderIsNoProgram) { EXPECT_FALSE(IsProgram("/bin")); }

TEST(OwnFolderTest, IsWhereThisTestIs) {
  EXPECT_TRUE(IsProgram(OwnFolder() + "/base_test")) << OwnFolder();
}

TEST(EnvironmentVariableTest, OneThatIsNotSetIsEmpty) {
  EXPECT_EQ(EnvironmentVariable("TRIMS_NO_SUCH_VARIABLE"), "");
  EXPECT_NE(EnvironmentVariable("PATH"), "");
}

}  // namespace
}  // namespace trims
