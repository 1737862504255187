// Folders that are made, and names that are written to the disk.
#include "base/make_folders.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "base/fault.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

TEST(MakeFoldersTest, MakesWhatIsMissing) {
  const ScratchFolder folder;
  EXPECT_TRUE(MakeFoldersOf(folder.path(), "a/b/w.bin").ok());
  EXPECT_TRUE(MakeFolder(folder / "a").ok());
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a/b/w.bin"));
}

TEST(MakeFoldersTest, ANameIsSyncedInTheFolderThatHoldsIt) {
  const ScratchFolder folder;
  ASSERT_TRUE(MakeFolder(folder / "a").ok());
  EXPECT_TRUE(SyncName(folder / "a").ok());
  EXPECT_TRUE(SyncName(folder / "a/").ok());
  EXPECT_TRUE(SyncName("/tmp").ok());
  EXPECT_EQ(SyncName(folder / "none/a").code(), StatusCode::kNotFound);
  const fault::ScopedPlan plan({.op = fault::Op::kSync, .nth = 1, .error = EIO});
  const Status failed = SyncName(folder / "a/");
  EXPECT_EQ(failed.code(), StatusCode::kDataLoss);
  EXPECT_NE(failed.message().find(folder.path() + ":"), std::string::npos) << failed.message();
}

TEST(MakeFoldersTest, AFolderThatMayNotBeReadIsLeftToTheKernel) {
  const fault::ScopedPlan plan({.op = fault::Op::kOpen, .nth = 1, .error = EACCES});
  EXPECT_TRUE(SyncName("/srv/trims").ok());
  EXPECT_TRUE(plan.fired());
}

}  // namespace
}  // namespace trims::test
