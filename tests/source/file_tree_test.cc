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
    Result<FileTree> tree = FileTree::At(SourceUri::OfPath(path));
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
  EXPECT_EQ(ReadAll(tree, "other"), "other");  // it may need it: a load knows what was included
  EXPECT_EQ(tree.Open("../other").status().code(), StatusCode::kInvalidArgument);
  const Result<std::vector<SourceEntry>> entries = tree.List();
  ASSERT_TRUE(entries.ok());
  EXPECT_THAT(NamesOf(*entries), ElementsAre("net.onnx"));
  EXPECT_EQ(tree.Open("other").status().code(), StatusCode::kNotFound);
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
  EXPECT_EQ(FileTree::At(SourceUri::OfPath(folder_ / "none")).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(FileTree::At(SourceUri::OfPath("/dev/null")).status().code(),
            StatusCode::kInvalidArgument);
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

TEST_F(FileTreeTest, WhatCantBeAModelSaysTheNextStep) {
  folder_.Write("in/m\xe9.onnx", "bytes");
  const Status name = At(folder_ / "in/m\xe9.onnx").List().status();
  EXPECT_THAT(name.message(), HasSubstr("'m?.onnx' is not UTF-8"));
  EXPECT_EQ(name.hint(), "rename the file");
  folder_.Write("pipes/a", "bytes");
  ASSERT_EQ(mkfifo((folder_ / "pipes/fifo").c_str(), 0600), 0);
  EXPECT_THAT(At(folder_ / "pipes").List().status().hint(), HasSubstr("nothing else"));
  const Status pipe = FileTree::At(SourceUri::OfPath(folder_ / "pipes/fifo")).status();
  EXPECT_THAT(pipe.hint(), HasSubstr("the model's file or folder"));
}

class HubCache : public FileTreeTest {
 protected:
  void SetUp() override {
    folder_.Write("models--a--b/blobs/77", "weights");
    folder_.Write("models--a--b/blobs/88", "more weights");
    folder_.Write("secret", "secret");
    std::filesystem::create_directories(folder_ / "models--a--b/snapshots/1f/onnx");
    Link("../../blobs/77", "model.safetensors");
    Link("../../../blobs/88", "onnx/model.onnx");
  }
  void Link(const std::string& target, const std::string& name) {
    std::filesystem::create_symlink(target, snapshot_ + "/" + name);
  }
  const std::string snapshot_ = folder_ / "models--a--b/snapshots/1f";
};

TEST_F(HubCache, ASnapshotHasTheNamesOfItsLinksAndTheBytesOfItsBlobs) {
  FileTree tree = At(snapshot_);
  EXPECT_EQ(ReadAll(tree, "onnx/model.onnx"), "more weights");
  const Result<std::vector<SourceEntry>> entries = tree.List();
  ASSERT_TRUE(entries.ok()) << entries.status().ToString();
  EXPECT_THAT(NamesOf(*entries), ElementsAre("model.safetensors", "onnx/model.onnx"));
  EXPECT_EQ(ReadAll(tree, "model.safetensors"), "weights");
  EXPECT_THAT(tree.Reach(), ElementsAre(snapshot_, folder_ / "models--a--b/blobs/77",
                                        folder_ / "models--a--b/blobs/88"));
}

TEST_F(HubCache, ALinkOutOfTheRepositoryIsRefused) {
  Link("../../../secret", "config.json");
  const FileTree unlisted = At(snapshot_);
  EXPECT_EQ(unlisted.Open("config.json").status().code(), StatusCode::kPermissionDenied);
  const Status status = At(snapshot_).List().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("leads out"));
  EXPECT_THAT(status.hint(), HasSubstr("--follow-links"));
}

TEST_F(HubCache, ASnapshotThatIsALinkOutOfTheRepositoryIsRefused) {
  folder_.Write("elsewhere/id_rsa", "secret");
  std::filesystem::create_directory_symlink("../../elsewhere",
                                            folder_ / "models--a--b/snapshots/2e");
  const std::string linked = folder_ / "models--a--b/snapshots/2e";
  EXPECT_EQ(At(linked).List().status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(At(linked + "/id_rsa").List().status().code(), StatusCode::kInvalidArgument);
  std::filesystem::create_directories(folder_ / "models--c--d");
  std::filesystem::create_directory_symlink("../elsewhere", folder_ / "models--c--d/snapshots");
  folder_.Write("elsewhere/3f/id_rsa", "secret");
  EXPECT_EQ(At(folder_ / "models--c--d/snapshots/3f").List().status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(FileTree::At(SourceUri::OfPath(linked, true))->List().ok());
}

TEST_F(HubCache, AFileThatIsALinkOutOfTheRepositoryIsRefused) {
  Link("../../../secret", "id_rsa");
  EXPECT_EQ(At(snapshot_ + "/id_rsa").List().status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(At(snapshot_ + "/id_rsa").Open("id_rsa").status().code(),
            StatusCode::kPermissionDenied);
}

TEST_F(HubCache, ABlobThatIsGoneNamesTheDownload) {
  Link("../../blobs/99", "config.json");
  const Status status = At(snapshot_).List().status();
  EXPECT_THAT(status.message(), HasSubstr("'config.json' leads to nothing"));
  EXPECT_THAT(status.hint(), HasSubstr("hf download a/b --revision 1f"));
  folder_.Write("models--a--b/refs/main", "1f");
  EXPECT_TRUE(At(snapshot_).List().status().hint().ends_with("hf download a/b"));
}

TEST_F(HubCache, ARepositoryThatTheDownloadWouldTakeForAnOptionIsNotNamed) {
  const std::string snapshot = folder_ / "models---x/snapshots/1f";
  std::filesystem::create_directories(snapshot);
  std::filesystem::create_symlink("../../blobs/99", snapshot + "/config.json");
  EXPECT_THAT(At(snapshot).List().status().hint(), HasSubstr("restore"));
}

TEST_F(HubCache, AFileBringsOthersOfItsSnapshot) {
  FileTree tree = Listed(snapshot_ + "/model.safetensors");
  EXPECT_EQ(tree.path(), snapshot_ + "/model.safetensors");
  EXPECT_TRUE(tree.Include("onnx/model.onnx").ok());
  EXPECT_TRUE(tree.Include("onnx/model.onnx").ok());
  EXPECT_EQ(tree.files().size(), 2u);
  EXPECT_EQ(ReadAll(tree, "onnx/model.onnx"), "more weights");
  EXPECT_EQ(tree.Include("none").code(), StatusCode::kNotFound);
  EXPECT_EQ(tree.Include("../1f/x").code(), StatusCode::kInvalidArgument);
  Link("../../../secret", "out");
  EXPECT_EQ(tree.Include("out").code(), StatusCode::kInvalidArgument);
  // What a later load does:
  EXPECT_EQ(ReadAll(At(tree.uri().path), "onnx/model.onnx"), "more weights");
  EXPECT_EQ(At(tree.uri().path).Open("out").status().code(), StatusCode::kPermissionDenied);
}

TEST_F(FileTreeTest, LinksMayLeadOutIfTheUserSaidSo) {
  folder_.Write("in/a", "inside");
  folder_.Write("out/b", "outside");
  std::filesystem::create_directory_symlink("../out", folder_ / "in/linked");
  EXPECT_THAT(At(folder_ / "in").List().status().message(), HasSubstr("leads out"));
  Result<FileTree> tree = FileTree::At(SourceUri::OfPath(folder_ / "in", true));
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(ReadAll(*tree, "linked/b"), "outside");
  EXPECT_EQ(tree->Open("../out/b").status().code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(tree->List().ok());
  EXPECT_EQ(ReadAll(*tree, "linked/b"), "outside");
  EXPECT_TRUE(tree->uri().follow_links);
}

TEST_F(FileTreeTest, ALinkToAFolderAboveItselfEnds) {
  folder_.Write("in/a", "inside");
  std::filesystem::create_directory_symlink(".", folder_ / "in/self");
  EXPECT_THAT(At(folder_ / "in").List().status().message(), HasSubstr("leads back"));
}

TEST_F(FileTreeTest, LinksThatMultiplyEnd) {
  constexpr int kSteps = 30;  // each doubles the ways to the next one
  for (int i = 0; i < kSteps; ++i) {
    const std::string step = "in/d" + std::to_string(i);
    folder_.Write(step + "/f", "x");
    for (const char* link : {"/a", "/b"}) {
      std::filesystem::create_directory_symlink("../d" + std::to_string(i + 1),
                                                folder_ / (step + link));
    }
  }
  folder_.Write("in/d" + std::to_string(kSteps) + "/f", "x");
  EXPECT_THAT(At(folder_ / "in").List().status().message(), HasSubstr("more than"));
}

TEST_F(FileTreeTest, FoldersWithinOneAnotherEnd) {
  std::string deep = "in";
  for (int i = 0; i < 64; ++i) deep += "/d";
  folder_.Write(deep + "/f", "x");
  EXPECT_TRUE(At(folder_ / "in").List().ok());
  folder_.Write(deep + "/d/f", "x");
  const Status status = At(folder_ / "in").List().status();
  EXPECT_THAT(status.message(), HasSubstr("more than 64 folders within one another"));
  EXPECT_THAT(status.hint(), HasSubstr("holds the model and nothing else"));
}

TEST_F(FileTreeTest, ANameThatIsNoTextIsShownWithoutItsBytes) {
  folder_.Write("in/a\xff\x1b", "x");
  EXPECT_THAT(At(folder_ / "in").List().status().message(), HasSubstr("'a?\?'"));
}

TEST_F(FileTreeTest, ALinkToAFolderInsideIsFollowed) {
  folder_.Write("in/real/a", "inside");
  std::filesystem::create_directory_symlink("real", folder_ / "in/again");
  EXPECT_EQ(ReadAll(Listed(folder_ / "in"), "again/a"), "inside");
}

}  // namespace
}  // namespace trims
