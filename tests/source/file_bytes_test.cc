#include "source/file_bytes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/mapping.h"
#include "source/open_beneath.h"
#include "support/held_resources.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

using test::HeldFds;
using test::ScratchFolder;
using ::testing::HasSubstr;

std::string Content(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 4096);
  return bytes;
}

// Memory at a page's start, as an extent is.
class Destination {
 public:
  explicit Destination(size_t size)
      : size_(size),
        start_(::mmap(nullptr, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0)) {}
  ~Destination() { ::munmap(start_, size_ + 1); }
  std::span<std::byte> bytes() { return {static_cast<std::byte*>(start_), size_}; }
  std::string text() const { return std::string(static_cast<const char*>(start_), size_); }

 private:
  size_t size_;
  void* start_;
};

void DropFromPageCache(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ::fdatasync(fd);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

// Every combination of length and offset around the boundaries of direct reads.
void CheckReads(const std::string& path, const std::string& content) {
  const Result<FileBytes> file = FileBytes::Open(path);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(file->size(), content.size());
  for (const size_t offset : {size_t{0}, size_t{1}, size_t{4096}, size_t{69632}}) {
    for (const size_t length : {size_t{1}, size_t{4096}, size_t{65536}, size_t{65537},
                                size_t{200000}, content.size() - offset}) {
      Destination destination(length);
      const Status status = file->ReadAt(offset, destination.bytes());
      ASSERT_TRUE(status.ok()) << status.ToString();
      ASSERT_EQ(destination.text(), content.substr(offset, length)) << offset << " " << length;
    }
  }
}

TEST(FileBytesTest, ReadsTheSameColdCachedAndWithoutDirectReads) {
  const std::string content = Content(1'000'003);
  const ScratchFolder disk;
  const std::string on_disk = disk.Write("model", content);
  CheckReads(on_disk, content);
  DropFromPageCache(on_disk);
  CheckReads(on_disk, content);
  const ScratchFolder memory("/dev/shm");
  CheckReads(memory.Write("model", content), content);
}

TEST(FileBytesTest, ADirectReadThatIsRefusedIsReadBuffered) {
  const std::string content = Content(300'000);
  const ScratchFolder folder;
  const std::string path = folder.Write("model", content);
  DropFromPageCache(path);
  const Result<FileBytes> file = FileBytes::Open(path);
  const fault::ScopedPlan plan({.op = fault::Op::kRead, .nth = 1, .error = EINVAL});
  Destination destination(content.size());
  const Status status = file->ReadAt(0, destination.bytes());
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(destination.text(), content);
}

TEST(FileBytesTest, AnIoErrorIsDataLoss) {
  const ScratchFolder folder;
  const Result<FileBytes> file = FileBytes::Open(folder.Write("model", Content(300'000)));
  Destination destination(300'000);
  const fault::ScopedPlan plan({.op = fault::Op::kRead, .nth = 1, .error = EIO});
  const Status status = file->ReadAt(0, destination.bytes());
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("model"));
}

TEST(FileBytesTest, MoreThanThereIsIsDataLossWithBothNumbers) {
  const ScratchFolder folder;
  const Result<FileBytes> file = FileBytes::Open(folder.Write("model", Content(100)));
  Destination destination(101);
  const Status status = file->ReadAt(0, destination.bytes());
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("is 100 bytes, expected at least 101"));
  EXPECT_EQ(file->ReadAt(UINT64_MAX, destination.bytes()).code(), StatusCode::kDataLoss);
}

TEST(FileBytesTest, AFileCutShortBetweenOpenAndReadIsDataLoss) {
  for (const size_t left : {0, 4096, 100'000, 131'072, 299'999}) {
    const ScratchFolder folder;
    const std::string path = folder.Write("model", Content(300'000));
    DropFromPageCache(path);
    const Result<FileBytes> file = FileBytes::Open(path);
    std::filesystem::resize_file(path, left);
    Destination destination(300'000);
    const Status status = file->ReadAt(0, destination.bytes());
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << left;
    EXPECT_THAT(status.message(), HasSubstr("changed since it was added")) << left;
  }
}

TEST(FileBytesTest, ARemovedFileThatIsOpenIsStillRead) {
  const ScratchFolder folder;
  const std::string path = folder.Write("model", Content(100'000));
  const Result<FileBytes> file = FileBytes::Open(path);
  std::filesystem::remove(path);
  Destination destination(100'000);
  EXPECT_TRUE(file->ReadAt(0, destination.bytes()).ok());
}

TEST(FileBytesTest, WhatIsNoRegularFileIsRefusedAndNothingWaits) {
  const ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(FileBytes::Open(folder / "fifo").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(FileBytes::Open(folder.path()).status().code(), StatusCode::kFailedPrecondition);
  ASSERT_EQ(::mknod((folder / "socket").c_str(), S_IFSOCK | 0600, 0), 0);
  for (const Status& status : {FileBytes::Open(folder / "socket").status(),
                               FileBytes::OpenBeneath(folder.path(), "socket").status()}) {
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("no regular file"));
  }
  EXPECT_EQ(FileBytes::Open("/dev/zero").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(FileBytes::Open(folder / "none").status().code(), StatusCode::kNotFound);
}

class BeneathTest : public ::testing::Test {
 protected:
  BeneathTest() {
    outside_.Write("secret", "secret");
    root_.Write("sub/model", "inside");
    Link("inside_link", "sub/model");
    Link("outside_link", outside_ / "secret");
    Link("up_link", "../" + std::filesystem::path(outside_.path()).filename().string() + "/secret");
    Link("folder_link", outside_.path());
    Link("loop", "loop");
    Link("magic", "/proc/self/root/etc/hostname");
  }
  void Link(const std::string& name, const std::string& target) const {
    std::filesystem::create_symlink(target, root_ / name);
  }
  StatusCode Open(const std::string& relative) const {
    return FileBytes::OpenBeneath(root_.path(), relative).status().code();
  }
  ScratchFolder outside_;
  ScratchFolder root_;
};

TEST_F(BeneathTest, FilesInsideOpen) {
  EXPECT_EQ(Open("sub/model"), StatusCode::kOk);
  EXPECT_EQ(Open("inside_link"), StatusCode::kOk);
  EXPECT_EQ(Open("sub/none"), StatusCode::kNotFound);
  EXPECT_EQ(Open("sub"), StatusCode::kFailedPrecondition);
}

TEST_F(BeneathTest, NoLinkLeadsOut) {
  for (const char* const link :
       {"outside_link", "up_link", "folder_link/secret", "loop", "magic"}) {
    EXPECT_EQ(Open(link), StatusCode::kPermissionDenied) << link;
  }
}

TEST_F(BeneathTest, PathsThatAreNotPlainAreRefused) {
  for (const std::string& path :
       {std::string(""), std::string("/etc/passwd"), std::string(".."), std::string("../secret"),
        std::string("sub/../sub/model"), std::string("./sub/model"), std::string("sub//model"),
        std::string("sub/model/"), std::string("sub\0/model", 10)}) {
    EXPECT_EQ(Open(path), StatusCode::kInvalidArgument) << path;
  }
}

TEST_F(BeneathTest, WithoutOpenat2NoLinkIsFollowedAtAll) {
  const auto without_openat2 = [&](const char* path) {
    const fault::ScopedPlan plan({.op = fault::Op::kOpen, .nth = 2, .error = ENOSYS});
    const StatusCode code = OpenFileBeneath(root_.path(), path).status().code();
    EXPECT_TRUE(plan.fired());
    return code;
  };
  EXPECT_EQ(without_openat2("sub/model"), StatusCode::kOk);
  EXPECT_EQ(without_openat2("sub/none"), StatusCode::kNotFound);
  for (const char* const link : {"inside_link", "outside_link", "up_link", "folder_link/secret"}) {
    EXPECT_EQ(without_openat2(link), StatusCode::kPermissionDenied) << link;
  }
}

TEST_F(BeneathTest, EveryFailureToOpenIsTypedAndLeavesNoDescriptor) {
  const size_t fds = HeldFds();
  for (int nth = 1;; ++nth) {
    ASSERT_LT(nth, 100);
    const fault::ScopedPlan plan({.op = fault::Op::kOpen, .nth = nth, .error = EMFILE});
    const StatusCode code = Open("sub/model");
    if (!plan.fired()) break;
    EXPECT_EQ(code, StatusCode::kResourceExhausted);
    EXPECT_EQ(HeldFds(), fds);
  }
}

}  // namespace
}  // namespace trims
