#include "prepare/unfinished.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "support/scratch_folder.h"

namespace trims {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr char kPointerText[] =
    "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 438955872\n";

class Unfinished : public ::testing::Test {
 protected:
  FileTree Tree(const std::string& name = "") const {
    const std::string path = name.empty() ? folder_.path() : folder_ / name;
    Result<FileTree> tree = FileTree::At(SourceUri::OfPath(path));
    EXPECT_TRUE(tree.ok() && tree->List().ok());
    return *std::move(tree);
  }
  Status Check(const std::string& name) const {
    const FileTree tree = Tree();
    return CheckFinished(tree, *tree.Find(name));
  }
  test::ScratchFolder folder_;
};

TEST_F(Unfinished, AGitLfsPointerIsSaidAsOne) {
  folder_.Write("model.onnx", kPointerText);
  const Status status = Check("model.onnx");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("git-lfs pointer, which stands for 438955872 bytes"));
  EXPECT_EQ(status.hint(), "get 'model.onnx' again");
}

// Whoever made the folder may have configured git to run something.
TEST_F(Unfinished, GitIsNamedInItsOwnFoldersAlone) {
  folder_.Write("clone/.git/config", "");
  folder_.Write("clone/onnx/model.onnx", kPointerText);
  const FileTree tree = Tree("clone/onnx");
  EXPECT_EQ(CheckFinished(tree, *tree.Find("model.onnx")).hint(),
            "if you trust its configuration, which this runs: git -C " + (folder_ / "clone/onnx") +
                " lfs pull");
}

TEST_F(Unfinished, ARepositoryIsDownloadedUnlessItsNameIsAnOption) {
  folder_.Write("models--org--net/refs/main", "0123");
  for (const auto& [folder, hint] : {std::pair("models--org--net", "hf download org/net"),
                                     std::pair("models--org--old", "org/old --revision 0123"),
                                     std::pair("models---x", "get 'm.onnx' again")}) {
    const std::string snapshot = std::string(folder) + "/snapshots/0123";
    folder_.Write(snapshot + "/m.onnx", kPointerText);
    const FileTree tree = Tree(snapshot);
    EXPECT_THAT(CheckFinished(tree, *tree.Find("m.onnx")).hint(), EndsWith(hint));
  }
}

TEST_F(Unfinished, PartsAndEmptyFilesAreSaidAsSuch) {
  folder_.Write("a.safetensors.incomplete", "x");
  folder_.Write("b.onnx", "");
  folder_.Write("c.bin", std::string(2000, 'v') + kPointerText);
  EXPECT_THAT(Check("a.safetensors.incomplete").message(), HasSubstr("was not finished"));
  EXPECT_THAT(Check("b.onnx").message(), HasSubstr("empty"));
  EXPECT_TRUE(Check("c.bin").ok());
}

TEST_F(Unfinished, APartWithoutItsWholeIsAnError) {
  folder_.Write("weights.bin", "whole");
  folder_.Write("weights.bin.part", "x");
  EXPECT_TRUE(CheckNothingPartial(Tree()).ok());
  EXPECT_EQ(CheckNothingPartial(Tree("weights.bin.part")).code(), StatusCode::kFailedPrecondition);
  folder_.Write("other.bin.part", "x");
  EXPECT_THAT(CheckNothingPartial(Tree()).message(), HasSubstr("other.bin.part"));
}

TEST_F(Unfinished, StraysAreNoted) {
  folder_.Write("model.onnx", "x");
  folder_.Write("empty.txt", "");
  folder_.Write("pytorch_model.bin", kPointerText);
  EXPECT_EQ(NoteUnfinished(Tree(), {1}), "not downloaded completely: pytorch_model.bin");
  EXPECT_EQ(NoteUnfinished(Tree(), {1, 2}), "");
}

}  // namespace
}  // namespace trims
