#include "wire/channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>

#include "base/fault.h"
#include "support/open_fds.h"
#include "support/scratch_folder.h"
#include "wire/principal.h"
#include "wire/protocol.h"
#include "wire/socket_folder.h"

namespace trims::wire {
namespace {

using ::testing::HasSubstr;
using trims::test::OpenFds;
using trims::test::ScratchFolder;

std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string TextOf(const Frame& frame) {
  return std::string(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size());
}

class ChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    here_ = UniqueFd(ends[0]);
    there_ = UniqueFd(ends[1]);
    file_ = UniqueFd(::memfd_create("test", MFD_CLOEXEC));
    before_ = OpenFds();
  }

  // More descriptors than SendFrame would send.
  void SendRaw(size_t bytes, size_t fds) {
    std::vector<std::byte> data(bytes);
    std::vector<char> control(CMSG_SPACE(fds * sizeof(int)));
    iovec part = {data.data(), data.size()};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fds > 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(fds * sizeof(int));
      std::vector<int> numbers(fds, file_.get());
      std::memcpy(CMSG_DATA(header), numbers.data(), fds * sizeof(int));
    }
    ASSERT_EQ(::sendmsg(here_.get(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(bytes));
  }

  UniqueFd here_;
  UniqueFd there_;
  UniqueFd file_;
  size_t before_ = 0;
};

TEST_F(ChannelTest, CarriesBytesAndDescriptors) {
  const int fds[] = {file_.get(), here_.get()};
  ASSERT_TRUE(SendFrame(here_.get(), BytesOf("hello"), fds).ok());
  Frame frame;
  ASSERT_TRUE(ReceiveFrame(there_.get(), 2, &frame).ok());
  EXPECT_EQ(TextOf(frame), "hello");
  ASSERT_EQ(frame.fds.size(), 2U);
  struct stat sent;
  struct stat received;
  ASSERT_EQ(::fstat(file_.get(), &sent), 0);
  ASSERT_EQ(::fstat(frame.fds[0].get(), &received), 0);
  EXPECT_EQ(sent.st_ino, received.st_ino);
  EXPECT_EQ(::fcntl(frame.fds[0].get(), F_GETFD), FD_CLOEXEC);
  frame.fds.clear();
  EXPECT_EQ(OpenFds(), before_);
}

TEST_F(ChannelTest, CarriesTheLargestFrame) {
  const std::vector<std::byte> bytes(kMaxFrameBytes, std::byte{7});
  const std::vector<int> fds(kMaxFramedFds, file_.get());
  ASSERT_TRUE(SendFrame(here_.get(), bytes, fds).ok());
  Frame frame;
  ASSERT_TRUE(ReceiveFrame(there_.get(), kMaxFramedFds, &frame).ok());
  EXPECT_EQ(frame.bytes, bytes);
  EXPECT_EQ(frame.fds.size(), kMaxFramedFds);
}

TEST_F(ChannelTest, RefusesToSendBeyondTheLimits) {
  const std::vector<std::byte> bytes(kMaxFrameBytes + 1);
  EXPECT_EQ(SendFrame(here_.get(), bytes, {}).code(), StatusCode::kInvalidArgument);
  const std::vector<int> fds(kMaxFramedFds + 1, file_.get());
  EXPECT_EQ(SendFrame(here_.get(), BytesOf("x"), fds).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(SendFrame(here_.get(), {}, {}).code(), StatusCode::kInvalidArgument);
}

TEST_F(ChannelTest, RefusesAnOversizeFrameAndGoesOn) {
  SendRaw(kMaxFrameBytes + 1, 1);
  SendRaw(3, 0);
  Frame frame;
  EXPECT_EQ(ReceiveFrame(there_.get(), 1, &frame).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenFds(), before_);
  ASSERT_TRUE(ReceiveFrame(there_.get(), 1, &frame).ok());
  EXPECT_EQ(frame.bytes.size(), 3U);
}

TEST_F(ChannelTest, ClosesDescriptorsThatNobodyAskedFor) {
  SendRaw(1, 253);
  Frame frame;
  const Status status = ReceiveFrame(there_.get(), 0, &frame);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("not asked for"));
  EXPECT_TRUE(frame.fds.empty());
  EXPECT_EQ(OpenFds(), before_);
}

TEST_F(ChannelTest, ClosesAllWhereThereAreTooMany) {
  SendRaw(1, 3);
  SendRaw(1, 253);
  Frame frame;
  EXPECT_EQ(ReceiveFrame(there_.get(), 2, &frame).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReceiveFrame(there_.get(), kMaxFramedFds, &frame).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenFds(), before_);
}

TEST_F(ChannelTest, AFullTableIsAnErrorAndLeaksNothing) {
  SendRaw(1, 5);
  rlimit old;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const int next = ::dup(file_.get());  // the lowest free number
  ::close(next);
  const rlimit tight = {.rlim_cur = static_cast<rlim_t>(next) + 2, .rlim_max = old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  Frame frame;
  const Status status = ReceiveFrame(there_.get(), 5, &frame);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.ToString();
  EXPECT_TRUE(frame.fds.empty());
  EXPECT_EQ(OpenFds(), before_);
}

TEST_F(ChannelTest, AClosedPeerIsUnavailable) {
  there_.reset();
  Frame frame;
  EXPECT_EQ(ReceiveFrame(here_.get(), 0, &frame).code(), StatusCode::kUnavailable);
  EXPECT_EQ(SendFrame(here_.get(), BytesOf("x"), {}).code(), StatusCode::kUnavailable);
}

TEST_F(ChannelTest, ANonBlockingSocketSaysThatItIsEmptyOrFull) {
  ASSERT_EQ(::fcntl(here_.get(), F_SETFL, O_NONBLOCK), 0);
  Frame frame;
  EXPECT_EQ(ReceiveFrame(here_.get(), 0, &frame).code(), StatusCode::kDeadlineExceeded);
  const std::vector<std::byte> bytes(kMaxFrameBytes);
  Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) status = SendFrame(here_.get(), bytes, {});
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
}

TEST_F(ChannelTest, InjectedFaultsAreTyped) {
  Frame frame;
  {
    const fault::ScopedPlan plan({.op = fault::Op::kSend, .nth = 1, .error = ENOMEM});
    EXPECT_EQ(SendFrame(here_.get(), BytesOf("x"), {}).code(), StatusCode::kResourceExhausted);
  }
  const fault::ScopedPlan plan({.op = fault::Op::kReceive, .nth = 1, .error = ECONNRESET});
  EXPECT_EQ(ReceiveFrame(there_.get(), 0, &frame).code(), StatusCode::kUnavailable);
}

TEST_F(ChannelTest, PeerOfSaysWhoWeAre) {
  const Result<Principal> peer = PeerOf(here_.get());
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer->uid, ::geteuid());
  EXPECT_EQ(peer->gid, ::getegid());
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_FALSE(PeerOf(file_.get()).ok());
}

TEST(ListenTest, GivesTheModeAndReplacesAStaleSocket) {
  const ScratchFolder folder;
  const std::string path = folder / "trimsd.sock";
  for (const mode_t mode : {mode_t{0600}, mode_t{0666}}) {
    const Result<UniqueFd> listener = ListenOn(path, mode, 8);
    ASSERT_TRUE(listener.ok()) << listener.status().ToString();
    struct stat info;
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, mode);
    EXPECT_TRUE(ConnectTo(path).ok());
    EXPECT_NE(::fcntl(listener->get(), F_GETFL) & O_NONBLOCK, 0);
  }
  EXPECT_EQ(ConnectTo(path).status().code(), StatusCode::kUnavailable);
  EXPECT_NE(::access((path + ".new").c_str(), F_OK), 0);
}

TEST(ListenTest, RefusesWhatIsNoSocketAndTooLongPaths) {
  const ScratchFolder folder;
  std::ofstream(folder / "file") << "mine";
  EXPECT_EQ(ListenOn(folder / "file", 0600, 1).status().code(), StatusCode::kAlreadyExists);
  const Status other = ConnectTo(folder / "file").status();
  EXPECT_EQ(other.code(), StatusCode::kUnavailable);
  EXPECT_EQ(other.hint(), "trims doctor");
  const std::string longer = folder / std::string(200, 'x');
  EXPECT_EQ(ListenOn(longer, 0600, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ConnectTo(longer).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ListenOn(folder / "no/such", 0600, 1).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ConnectTo(folder / "nothing").status().code(), StatusCode::kNotFound);
}

TEST(SocketFolderTest, AcceptsOursAndRefusesWhatOthersMayWrite) {
  const ScratchFolder folder;
  const std::string path = folder / "trimsd.sock";
  EXPECT_TRUE(CheckSocketFolder(path, PathOrigin::kGuessed).ok());
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  EXPECT_TRUE(CheckSocketFolder(path, PathOrigin::kGuessed).ok());
  for (const mode_t mode : {mode_t{0775}, mode_t{0757}}) {
    ASSERT_EQ(::chmod(folder.path().c_str(), mode), 0);
    const Status status = CheckSocketFolder(path, PathOrigin::kConfigured);
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
    EXPECT_THAT(status.hint(), HasSubstr("chmod go-w " + folder.path()));
  }
  ASSERT_EQ(::chmod(folder.path().c_str(), 0700), 0);
  EXPECT_EQ(CheckSocketFolder(folder / "no/such", PathOrigin::kGuessed).code(),
            StatusCode::kNotFound);
}

TEST(SocketFolderTest, AStickyFolderNeedsASocketOfOurs) {
  const ScratchFolder folder;
  const std::string path = folder / "trimsd.sock";
  ASSERT_EQ(::chmod(folder.path().c_str(), 01777), 0);
  EXPECT_TRUE(CheckSocketFolder(path, PathOrigin::kConfigured).ok());
  if (::geteuid() != 0) GTEST_SKIP() << "giving a file to another user needs root";
  const Result<UniqueFd> listener = ListenOn(path, 0666, 1);
  ASSERT_TRUE(listener.ok());
  ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
  EXPECT_EQ(CheckSocketFolder(path, PathOrigin::kConfigured).code(), StatusCode::kPermissionDenied);
}

TEST(SocketFolderTest, RefusesAFolderOfSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "giving a folder to another user needs root";
  const ScratchFolder folder;
  ASSERT_EQ(::chown(folder.path().c_str(), 12345, 12345), 0);
  const Status status = CheckSocketFolder(folder / "trimsd.sock", PathOrigin::kConfigured);
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("12345"));
}

TEST(SocketFolderTest, FolderOf) {
  EXPECT_EQ(FolderOf("/run/trims/trimsd.sock"), "/run/trims");
  EXPECT_EQ(FolderOf("/sock"), "/");
  EXPECT_EQ(FolderOf("sock"), ".");
}

}  // namespace
}  // namespace trims::wire
