#include "store/prepared_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

std::string Digest(char digit) { return std::string(64, digit); }

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
  const std::string digits(32, 'a');
  for (const std::string& name :
       {std::string(".incoming-XyZ123"), std::string("somebody-elses"), "files-" + digits.substr(1),
        "other-" + digits, "files-" + digits + "-0", "files-" + std::string(32, 'A')}) {
    std::filesystem::create_directory(root / name);
  }
  EXPECT_EQ(prepared::CountPublished(root.path()).value(), 0u);
  std::filesystem::create_directory(root / ("files-" + digits));
  std::filesystem::create_directory(root / ("ort-" + digits));
  EXPECT_EQ(prepared::CountPublished(root.path()).value(), 2u);
}

ManifestVariant SomeVariant() {
  ManifestVariant variant;
  variant.key = "key";
  variant.folder = "1";
  variant.index_path = "index";
  variant.index_length = 7;
  variant.index_sha256 = Digest('a');
  variant.extents.push_back(
      {.length = 5, .sha256 = Digest('b'), .pieces = {{PieceOrigin::kPrepared, "data", 0, 5, 0}}});
  return variant;
}

TEST(PreparedFoldersTest, ANameTellsTheContent) {
  const ManifestVariant variant = SomeVariant();
  const std::string name = prepared::ContentName(variant);
  EXPECT_TRUE(prepared::IsPublishedName(name)) << name;
  ManifestVariant elsewhere = variant;
  elsewhere.folder = "2";
  EXPECT_EQ(prepared::ContentName(elsewhere), name);
}

TEST(PreparedFoldersTest, OtherContentHasAnotherName) {
  std::set<std::string> names = {prepared::ContentName(SomeVariant())};
  const std::vector<void (*)(ManifestVariant&)> changes = {
      [](ManifestVariant& v) { v.kind = Variant::kOrt; },
      [](ManifestVariant& v) { v.key = "other"; },
      [](ManifestVariant& v) { v.precision = "fp16"; },
      [](ManifestVariant& v) { v.index_path = "other"; },
      [](ManifestVariant& v) { v.index_length = 8; },
      [](ManifestVariant& v) { v.index_sha256 = Digest('c'); },
      [](ManifestVariant& v) { v.extents[0].length = 6; },
      [](ManifestVariant& v) { v.extents[0].sha256 = Digest('c'); },
      [](ManifestVariant& v) { v.extents[0].pieces[0].path = "other"; },
      [](ManifestVariant& v) { v.extents[0].pieces[0].origin = PieceOrigin::kSource; },
      [](ManifestVariant& v) { v.extents[0].pieces[0].at = 1; },
      [](ManifestVariant& v) { v.extents[0].pieces.clear(); },
      [](ManifestVariant& v) { v.extents.clear(); },
      [](ManifestVariant& v) { v.extents.push_back(v.extents[0]); },
  };
  for (const auto& change : changes) {
    ManifestVariant variant = SomeVariant();
    change(variant);
    names.insert(prepared::ContentName(variant));
  }
  EXPECT_EQ(names.size(), changes.size() + 1);
}

}  // namespace
}  // namespace trims::test
