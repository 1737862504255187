#include "store/prepared_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

// Root may write anywhere, but for a thread that touches files as another user.
TEST(PreparedFoldersTest, AFolderThatMayNotBeWrittenIsPermissionDenied) {
  const ScratchFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  constexpr uid_t kNobody = 65534;
  ::setfsuid(kNobody);
  const Status root = prepared::MakeIncoming(folder / "prepared").status();
  const Status incoming = prepared::MakeIncoming(folder.path()).status();
  ::setfsuid(::geteuid());
  EXPECT_EQ(root.code(), StatusCode::kPermissionDenied) << root.ToString();
  EXPECT_EQ(incoming.code(), StatusCode::kPermissionDenied) << incoming.ToString();
  EXPECT_THAT(root.message(), HasSubstr(folder / "prepared"));
}

TEST(PreparedFoldersTest, CountsWhatWasPublishedAndNothingElse) {
  const ScratchFolder root;
  EXPECT_EQ(prepared::CountPublished(root / "none").value(), 0u);
  const std::string stem = std::string(16, 'a');
  for (const std::string& name : {std::string(".incoming-XyZ123"), std::string("somebody-elses"),
                                  stem + "-files", stem + "-other-0"}) {
    std::filesystem::create_directory(root / name);
  }
  EXPECT_EQ(prepared::CountPublished(root.path()).value(), 0u);
  std::filesystem::create_directory(root / (stem + "-files-0"));
  std::filesystem::create_directory(root / (stem + "-7"));  // of an earlier release
  EXPECT_EQ(prepared::CountPublished(root.path()).value(), 2u);
}

}  // namespace
}  // namespace trims::test
