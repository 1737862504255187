#include "client/autostart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/fault.h"
#include "support/open_fds.h"
#include "support/scratch_folder.h"
#include "wire/channel.h"

namespace trims {
namespace {

using test::OpenFds;
using test::ScratchFolder;
using ::testing::HasSubstr;

// Each test has a runtime folder of its own, so that it sees no daemon of the machine's user.
class AutostartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/run/trims/trimsd.sock", F_OK) == 0) GTEST_SKIP() << "a system daemon is here";
    ::setenv("XDG_RUNTIME_DIR", runtime_.path().c_str(), 1);
    ::setenv("XDG_DATA_HOME", (runtime_ / "data").c_str(), 1);
    ::setenv("TRIMSD", FAKE_TRIMSD_PATH, 1);
    for (const char* name : {"TRIMS_SOCKET", "TRIMS_AUTOSTART", "FAKE_TRIMSD"}) ::unsetenv(name);
  }
  void TearDown() override {
    for (const Started& daemon : AllStarted()) ::kill(daemon.pid, SIGKILL);
  }

  struct Started {
    pid_t pid;
    std::string arguments;
  };
  std::vector<Started> AllStarted() const {
    std::ifstream file(runtime_ / "trims/started");
    std::vector<Started> all;
    Started one;
    while (file >> one.pid && std::getline(file, one.arguments)) all.push_back(one);
    return all;
  }
  std::string socket() const { return runtime_ / "trims/trimsd.sock"; }

  const ScratchFolder runtime_;
};

TEST_F(AutostartTest, StartsOneThatAnswersAndFindsItAgain) {
  const size_t before = OpenFds();
  const Result<std::string> path = EnsureDaemon();
  ASSERT_TRUE(path.ok()) << path.status().ToString();
  EXPECT_EQ(*path, socket());
  EXPECT_TRUE(wire::ConnectTo(*path).ok());
  EXPECT_EQ(*EnsureDaemon(), socket());
  ASSERT_EQ(AllStarted().size(), 1U);
  EXPECT_EQ(AllStarted()[0].arguments, " --socket " + socket() + " --data " +
                                           (runtime_ / "data/trims") +
                                           " --idle-exit 10min --ready-fd 3");
  struct stat info;
  ASSERT_EQ(::stat((runtime_ / "trims").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  EXPECT_EQ(OpenFds(), before);
}

TEST_F(AutostartTest, TheDaemonIsNoChildOfOursAndLeadsItsOwnSession) {
  ASSERT_TRUE(EnsureDaemon().ok());
  ASSERT_EQ(AllStarted().size(), 1U);
  const pid_t daemon = AllStarted()[0].pid;
  EXPECT_NE(::getsid(daemon), ::getsid(0));
  EXPECT_EQ(::waitpid(daemon, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(AutostartTest, ManyAtOnceStartOne) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([] { EXPECT_TRUE(EnsureDaemon().ok()); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(AllStarted().size(), 1U);
}

TEST_F(AutostartTest, AStaleSocketIsReplaced) {
  ASSERT_EQ(::mkdir((runtime_ / "trims").c_str(), 0700), 0);
  { const auto stale = wire::ListenOn(socket(), 0600, 1); }
  ASSERT_TRUE(EnsureDaemon().ok());
  EXPECT_TRUE(wire::ConnectTo(socket()).ok());
}

TEST_F(AutostartTest, AConfiguredSocketIsTakenAsItIs) {
  EXPECT_EQ(*EnsureDaemon({.socket_path = "/some/where"}), "/some/where");
  ::setenv("TRIMS_SOCKET", "/else/where", 1);
  EXPECT_EQ(*EnsureDaemon(), "/else/where");
  EXPECT_TRUE(AllStarted().empty());
}

TEST_F(AutostartTest, CanBeForbidden) {
  ::setenv("TRIMS_AUTOSTART", "0", 1);
  const Status status = EnsureDaemon().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("TRIMS_AUTOSTART=0"));
  EXPECT_EQ(status.hint(), "start one: trimsd &");
  EXPECT_NE(::access((runtime_ / "trims").c_str(), F_OK), 0);
}

TEST_F(AutostartTest, AFolderThatOthersMayWriteIsRefused) {
  ASSERT_EQ(::mkdir((runtime_ / "trims").c_str(), 0700), 0);
  ASSERT_EQ(::chmod((runtime_ / "trims").c_str(), 0777), 0);
  EXPECT_EQ(EnsureDaemon().status().code(), StatusCode::kPermissionDenied);
  EXPECT_TRUE(AllStarted().empty());
}

TEST_F(AutostartTest, AFolderOfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "giving a folder to another user needs root";
  ASSERT_EQ(::mkdir((runtime_ / "trims").c_str(), 0700), 0);
  ASSERT_EQ(::chown((runtime_ / "trims").c_str(), 12345, 12345), 0);
  EXPECT_EQ(EnsureDaemon().status().code(), StatusCode::kPermissionDenied);
}

TEST_F(AutostartTest, OneThatDiesIsQuoted) {
  ::setenv("FAKE_TRIMSD", "die", 1);
  const Status status = EnsureDaemon().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("catalog is locked"));
  EXPECT_THAT(status.hint(), HasSubstr("trimsd.log"));
  ::unsetenv("FAKE_TRIMSD");
  EXPECT_TRUE(EnsureDaemon().ok());
}

TEST_F(AutostartTest, OneThatNeverGetsReadyIsGivenUp) {
  ::setenv("FAKE_TRIMSD", "mute", 1);
  const Status status = EnsureDaemon({.patience = std::chrono::milliseconds(50)}).status();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
}

TEST_F(AutostartTest, NoProgramIsSaidWithTheNextStep) {
  ::setenv("TRIMSD", "/no/such/trimsd", 1);
  const Status status = EnsureDaemon().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.hint(), HasSubstr("TRIMSD="));
}

TEST_F(AutostartTest, NoPlaceForTheSocketIsSaidWithTheNextStep) {
  ::setenv("XDG_RUNTIME_DIR", (runtime_ / "gone").c_str(), 1);
  const Status status = EnsureDaemon().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(status.hint(), "mkdir -p " + (runtime_ / "gone"));
}

TEST_F(AutostartTest, EachFailureIsTypedAndLeaksNothing) {
  const size_t before = OpenFds();
  for (const fault::Op op : {fault::Op::kOpen, fault::Op::kSpawn, fault::Op::kRead}) {
    for (int nth = 1;; ++nth) {
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = EMFILE});
      const Result<std::string> path = EnsureDaemon();
      if (!plan.fired()) break;
      EXPECT_EQ(path.status().code(), StatusCode::kResourceExhausted) << fault::OpName(op) << nth;
      EXPECT_EQ(OpenFds(), before);
      ASSERT_LT(nth, 20);
    }
    TearDown();
    ::unlink(socket().c_str());
  }
}

}  // namespace
}  // namespace trims
