#include "source/file_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/scratch_folder.h"

namespace trims {
namespace {

using test::ScratchFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> NamesOf(const std::vector<SourceEntry>& entries) {
  std::vector<std::string> names;
  for (const SourceEntry& entry : entries) names.push_back(entry.name);
  return names;
}

std::string ReadAll(const SourceTree& tree, const std::string& name) {
  const Result<std::unique_ptr<RandomAccess>> file = tree.Open(name);
  if (!file.ok()) return file.status().ToString();
  std::string text((*file)->size(), '\0');
  const Status status = (*file)->ReadAt(0, std::as_writable_bytes(std::span(text)));
  return status.ok() ? text : status.ToString();
}

class FileTreeTest : public ::testing::Test {
 protected:
  FileTree At(const std::string& path) const {
    Result<FileTree> tree = FileTree::At(path);
    EXPECT_TRUE(tree.ok()) << tree.status().ToString();
    return *std::move(tree);
  }
  FileTree Listed(const std::string& path) const {
    FileTree tree = At(path);
    EXPECT_TRUE(tree.List().ok());
    return tree;
  }
  ScratchFolder folder_;
};

TEST_F(FileTreeTest, AFolderHasItsFilesByName) {
  folder_.Write("b/c", "deep");
  folder_.Write("a", "flat");
  FileTree tree = At(folder_.path());
  const Result<std::vector<SourceEntry>> entries = tree.List();
  ASSERT_TRUE(entries.ok()) << entries.status().ToString();
  EXPECT_THAT(NamesOf(*entries), ElementsAre("a", "b/c"));
  EXPECT_EQ((*entries)[1].length, 4u);
  EXPECT_EQ(ReadAll(tree, "b/c"), "deep");
  EXPECT_EQ(tree.Open("d").status().code(), StatusCode::kNotFound);
}

TEST_F(FileTreeTest, AFileIsThereUnderItsBaseName) {
  FileTree tree = At(folder_.Write("net.onnx", "model"));
  folder_.Write("other", "other");
  EXPECT_EQ(ReadAll(tree, "net.onnx"), "model");
  EXPECT_EQ(tree.Open("other").status().code(), StatusCode::kNotFound);
  const Result<std::vector<SourceEntry>> entries = tree.List();
  ASSERT_TRUE(entries.ok());
  EXPECT_THAT(NamesOf(*entries), ElementsAre("net.onnx"));
  EXPECT_EQ(ReadAll(tree, "net.onnx"), "model");
}

TEST_F(FileTreeTest, ALinkedFileKeepsTheNameThatWasAskedFor) {
  folder_.Write("blob", "model");
  std::filesystem::create_symlink("blob", folder_ / "net.onnx");
  EXPECT_EQ(Listed(folder_ / "net.onnx").files().front().name, "net.onnx");
}

TEST_F(FileTreeTest, WithoutAListOpenStaysBeneathTheFolder) {
  folder_.Write("in/a", "inside");
  folder_.Write("secret", "secret");
  std::filesystem::create_symlink("../secret", folder_ / "in/out");
  const FileTree tree = At(folder_ / "in");
  EXPECT_EQ(ReadAll(tree, "a"), "inside");
  EXPECT_EQ(tree.Open("out").status().code(), StatusCode::kPermissionDenied);
  for (const char* name : {"", "/etc/passwd", "../secret", "a/../a"}) {
    EXPECT_EQ(tree.Open(name).status().code(), StatusCode::kInvalidArgument) << name;
  }
}

TEST_F(FileTreeTest, WhatWasListedIsReadOnlyWhileItStaysWhatItWas) {
  folder_.Write("a", "before");
  FileTree tree = Listed(folder_.path());
  EXPECT_TRUE(tree.CheckUnchanged().ok());
  folder_.Write("a", "after, and longer");
  folder_.Write("new", "added later");
  EXPECT_EQ(tree.Open("a").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(tree.Open("new").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(tree.CheckUnchanged().code(), StatusCode::kFailedPrecondition);
  for (const mode_t kind : {S_IFSOCK, S_IFIFO}) {  // neither an error of ours nor a wait
    std::filesystem::remove(folder_ / "a");
    ASSERT_EQ(::mknod((folder_ / "a").c_str(), kind | 0600, 0), 0);
    EXPECT_EQ(tree.Open("a").status().code(), StatusCode::kFailedPrecondition);
  }
}

TEST_F(FileTreeTest, AnotherVersionHasAnotherText) {
  folder_.Write("a", "before");
  const std::string before = At(folder_.path()).List()->front().version;
  EXPECT_EQ(At(folder_.path()).List()->front().version, before);
  folder_.Write("a", "longer than before");
  EXPECT_NE(At(folder_.path()).List()->front().version, before);
}

TEST_F(FileTreeTest, WhatIsNoSourceIsRefused) {
  EXPECT_EQ(FileTree::At(folder_ / "none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(FileTree::At("/dev/null").status().code(), StatusCode::kInvalidArgument);
  const Status empty = At(folder_.path()).List().status();
  EXPECT_EQ(empty.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(empty.message(), HasSubstr("holds no bytes"));
}

TEST_F(FileTreeTest, ASourceUriOpensIt) {
  folder_.Write("my net", "model");
  const Result<SourceUri> uri = ParseSourceUri("file://" + folder_.path() + "/my%20net");
  ASSERT_TRUE(uri.ok());
  const Result<std::unique_ptr<SourceTree>> tree = OpenSourceTree(*uri);
  ASSERT_TRUE(tree.ok()) << tree.status().ToString();
  EXPECT_EQ(ReadAll(**tree, "my net"), "model");
}

}  // namespace
}  // namespace trims
