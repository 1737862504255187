// What a service says to systemd, and what it is passed, with a socket in systemd's place.
#include "keeper/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "keeper/memfds.h"
#include "support/scratch_folder.h"
#include "wire/channel.h"
#include "wire/protocol.h"

namespace trims {
namespace {

class ServiceManagerTest : public ::testing::Test {
 protected:
  ServiceManagerTest() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  ~ServiceManagerTest() override { ::unsetenv("NOTIFY_SOCKET"); }

  std::string Receive(std::vector<UniqueFd>* fds = nullptr) const {
    wire::Frame frame;
    EXPECT_TRUE(wire::ReceiveFrame(socket_.get(), wire::kMaxFramedFds, &frame).ok());
    if (fds != nullptr) *fds = std::move(frame.fds);
    return {reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size()};
  }

  const test::ScratchFolder folder_;
  const std::string path_ = folder_ / "notify";
  UniqueFd socket_;
};

TEST_F(ServiceManagerTest, WithoutItsSocketThereIsNone) {
  for (const char* address : {"", "/", "relative"}) {
    ::setenv("NOTIFY_SOCKET", address, 1);
    EXPECT_FALSE(ServiceManager::FromEnvironment().has_value()) << address;
  }
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(ServiceManager::FromEnvironment().has_value());
}

TEST_F(ServiceManagerTest, TheVariablesAreTakenFromTheEnvironment) {
  ASSERT_TRUE(ServiceManager::FromEnvironment().has_value());
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
}

TEST_F(ServiceManagerTest, WhatIsKeptAndDroppedIsSaidInItsWords) {
  std::optional<ServiceManager> manager = ServiceManager::FromEnvironment();
  ASSERT_TRUE(manager.has_value());
  ASSERT_TRUE(manager->Tell("READY=1").ok());
  EXPECT_EQ(Receive(), "READY=1");
  const auto keeper = MakeServiceManagerKeeper(&*manager);
  const UniqueFd fd = test::Sealed("one");
  const int number = fd.get();
  ASSERT_TRUE(keeper->Keep(test::kLabelA, std::span<const int>(&number, 1)).ok());
  std::vector<UniqueFd> fds;
  EXPECT_EQ(Receive(&fds), "FDSTORE=1\nFDNAME=" + test::kLabelA);
  ASSERT_EQ(fds.size(), 1u);
  EXPECT_EQ(test::TextIn(fds[0].get()), "one");
  Status dropped;
  std::thread dropping([&] { dropped = keeper->Drop(test::kLabelA); });
  EXPECT_EQ(Receive(), "FDSTOREREMOVE=1\nFDNAME=" + test::kLabelA);
  EXPECT_EQ(Receive(&fds), "BARRIER=1");
  fds.clear();  // it has come to it
  dropping.join();
  EXPECT_TRUE(dropped.ok()) << dropped.ToString();
}

// Descriptors are passed by their numbers: in a process of its own, where nothing else has them.
[[noreturn]] void TakeInChild(const UniqueFd& one, const UniqueFd& two, pid_t listener) {
  const UniqueFd high_one(::fcntl(one.get(), F_DUPFD, 100));
  const UniqueFd high_two(::fcntl(two.get(), F_DUPFD, 100));
  for (const int fd : {3, 4, 5}) ::dup2(fd == 4 ? high_two.get() : high_one.get(), fd);
  ::setenv("LISTEN_PID", std::to_string(listener < 0 ? ::getpid() : listener).c_str(), 1);
  ::setenv("LISTEN_FDS", "3", 1);
  ::setenv("LISTEN_FDNAMES", (test::kLabelA + ":" + test::kLabelA + ":other").c_str(), 1);
  std::optional<ServiceManager> manager = ServiceManager::FromEnvironment();
  if (!manager || std::getenv("LISTEN_FDS") != nullptr) ::_exit(1);
  const std::vector<KeptDescriptors> handed = manager->TakeHanded();
  if (listener >= 0) ::_exit(handed.empty() && ::fcntl(3, F_GETFD) == 0 ? 0 : 2);
  if (handed.size() != 1 || handed[0].label != test::kLabelA || handed[0].fds.size() != 2)
    ::_exit(3);
  if (test::TextIn(3) != "one" || test::TextIn(4) != "two") ::_exit(4);
  if (::fcntl(3, F_GETFD) != FD_CLOEXEC) ::_exit(5);
  ::_exit(::fcntl(5, F_GETFD) < 0 ? 0 : 6);  // of no label: closed
}

TEST_F(ServiceManagerTest, PassedDescriptorsAreTakenByTheirLabels) {
  const UniqueFd one = test::Sealed("one");
  const UniqueFd two = test::Sealed("two");
  EXPECT_EXIT(TakeInChild(one, two, -1), ::testing::ExitedWithCode(0), "");
}

TEST_F(ServiceManagerTest, ThoseOfAnotherProcessAreLeftAlone) {
  const UniqueFd one = test::Sealed("one");
  const UniqueFd two = test::Sealed("two");
  EXPECT_EXIT(TakeInChild(one, two, 1), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace trims
