// Each prohibition is proved from inside: a child confines itself, tries one thing and says by its
// exit status what came.
#include "prepare/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "prepare/landlock.h"
#include "prepare/syscall_filter.h"

namespace trims {
namespace {

constexpr int kSandboxFailed = 255;

class Sandbox : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/trims-sandbox-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = std::filesystem::canonical(pattern).string();
    for (const char* folder : {"/in", "/out", "/elsewhere"}) {
      std::filesystem::create_directory(root_ + folder);
    }
    std::ofstream(root_ + "/in/model") << "weights";
    std::ofstream(root_ + "/elsewhere/secret") << "secret";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  // The errno that `attempt` (0 or an errno) came to inside the sandbox, or minus the signal that
  // ended it.
  int Inside(const std::function<int()>& attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
      const Result<SandboxReport> report =
          ApplySandbox({.sources = {root_ + "/in"}, .out = root_ + "/out"});
      ::_exit(report.ok() ? attempt() : kSandboxFailed);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  int Open(const std::string& path, int flags) {
    return Inside([&] { return ::open((root_ + path).c_str(), flags, 0600) < 0 ? errno : 0; });
  }

  std::string root_;
};

int ErrnoIf(bool failed) { return failed ? errno : 0; }

TEST_F(Sandbox, LeavesWhatPreparingNeeds) {
  EXPECT_EQ(Open("/in/model", O_RDONLY), 0);
  EXPECT_EQ(Open("/out/new", O_WRONLY | O_CREAT), 0);
  EXPECT_EQ(Inside([] {
              int made = 0;
              std::thread([&] { made = 1; }).join();
              return made == 1 ? 0 : 1;
            }),
            0);
}

TEST_F(Sandbox, OtherFilesAreOutOfReach) {
  if (LandlockAbi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(Open("/elsewhere/secret", O_RDONLY), EACCES);
  EXPECT_EQ(Open("/elsewhere/new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(Open("/in/model", O_WRONLY), EACCES);
  EXPECT_EQ(Open("/in/new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(Inside([] { return ErrnoIf(::open("/etc/passwd", O_RDONLY) < 0); }), EACCES);
  EXPECT_EQ(Inside([] { return ErrnoIf(::open("/etc/passwd", O_WRONLY) < 0); }), EACCES);
  EXPECT_EQ(Inside([&] { return ErrnoIf(::unlink((root_ + "/in/model").c_str()) != 0); }), EACCES);
}

TEST_F(Sandbox, SocketsAreRefused) {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    EXPECT_EQ(Inside([=] { return ErrnoIf(::socket(family, SOCK_DGRAM, 0) < 0); }), EPERM);
  }
  int pair[2];
  EXPECT_EQ(Inside([&] { return ErrnoIf(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0); }),
            EPERM);
}

TEST_F(Sandbox, ProgramsAndProcessesAreRefused) {
  EXPECT_EQ(Inside([] { return ErrnoIf(::execl("/bin/true", "true", nullptr) != 0); }), EPERM);
  EXPECT_EQ(Inside([] {
              const pid_t pid = ::fork();
              if (pid == 0) ::_exit(0);
              return ErrnoIf(pid < 0);
            }),
            EPERM);
}

TEST_F(Sandbox, OtherProcessesAreOutOfReach) {
  EXPECT_EQ(Inside([] { return ErrnoIf(::kill(::getppid(), 0) != 0); }), EPERM);
  EXPECT_EQ(Inside([] { return ErrnoIf(::ptrace(PTRACE_ATTACH, ::getppid(), 0, 0) != 0); }), EPERM);
  EXPECT_EQ(Inside([] {
              rlimit limit{};
              return ErrnoIf(::prlimit(::getppid(), RLIMIT_CORE, nullptr, &limit) != 0);
            }),
            EPERM);
}

TEST_F(Sandbox, AttributesOfFilesStayWhatTheyAre) {
  EXPECT_EQ(Inside([&] { return ErrnoIf(::chmod((root_ + "/in/model").c_str(), 0777) != 0); }),
            EPERM);
  EXPECT_EQ(
      Inside([&] { return ErrnoIf(::symlink("/etc/passwd", (root_ + "/out/link").c_str()) != 0); }),
      EPERM);
}

TEST_F(Sandbox, PrivilegesAndNamespacesAreGone) {
  EXPECT_EQ(Inside([] { return ErrnoIf(::unshare(CLONE_NEWUSER) != 0); }), EPERM);
  EXPECT_EQ(Inside([] { return ErrnoIf(::syscall(SYS_setuid, 12345) != 0); }), EPERM);
}

TEST_F(Sandbox, DescriptorsOfTheParentAreClosed) {
  const int secret = ::open((root_ + "/elsewhere/secret").c_str(), O_RDONLY);
  ASSERT_GE(secret, 0);
  char byte;
  EXPECT_EQ(Inside([&] { return ErrnoIf(::read(secret, &byte, 1) < 0); }), EBADF);
  ::close(secret);
}

TEST_F(Sandbox, LimitsHold) {
  const auto limit_of = [](auto resource) {
    rlimit limit{};
    return ::getrlimit(resource, &limit) == 0 ? limit.rlim_max : RLIM_INFINITY;
  };
  EXPECT_EQ(Inside([&] { return limit_of(RLIMIT_CORE) == 0 ? 0 : 1; }), 0);
  EXPECT_EQ(Inside([&] { return limit_of(RLIMIT_CPU) == 900 ? 0 : 1; }), 0);
  EXPECT_EQ(Inside([&] { return limit_of(RLIMIT_NOFILE) <= 1024 ? 0 : 1; }), 0);
}

TEST_F(Sandbox, AbortStillWorks) {
  EXPECT_EQ(Inside([]() -> int {
              ::signal(SIGABRT, SIG_DFL);
              std::abort();
            }),
            -SIGABRT);
}

TEST(SandboxReport, JsonHasAFieldForEachLayer) {
  const SandboxReport report{.no_new_privileges = true, .landlock_abi = 3};
  EXPECT_NE(ToJson(report).find("\"no_new_privileges\": true"), std::string::npos);
  EXPECT_NE(ToJson(report).find("\"seccomp\": false"), std::string::npos);
  EXPECT_NE(Describe(report).find("not to be had here: Landlock"), std::string::npos);
}

TEST_F(Sandbox, CapabilitiesThatCantBeDroppedAreSaid) {
  const pid_t child = ::fork();
  if (child == 0) {
    // The preparer's own filter refuses capset, which is what a container may do, too.
    const bool filtered =
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && InstallSyscallFilter().ok();
    const Result<SandboxReport> report = ApplySandbox({.sources = {root_ + "/in"}});
    const bool said =
        report.ok() && Describe(*report).find("dropped-capabilities") != std::string::npos;
    ::_exit(filtered && said ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace trims
