// The real daemon and real clients: what is shared, what stays, what goes, and what a killed
// process leaves.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/macros.h"
#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kModelBytes = size_t{4} << 20;

class DaemonTest : public ::testing::Test {
 protected:
  test::ScratchFolder folder_;
};

Result<Model> Open(const DaemonProcess& daemon, const std::string& reference) {
  Result<Client> client = daemon.Connect();
  if (!client.ok()) return client.status();
  return client->Open(reference);
}

bool Exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

TEST_F(DaemonTest, AMissThenAHitGiveTheFilesOwnBytes) {
  DaemonProcess daemon(folder_.path());
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  const std::string file = ReadFile(daemon.AddFile("one", kModelBytes));
  const Result<Model> first = Open(daemon, "one");
  ASSERT_TRUE(first.ok()) << first.status().ToString() << daemon.Log();
  EXPECT_FALSE(first->info().hit);
  const Result<Model> second = Open(daemon, "one");
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  EXPECT_TRUE(second->info().hit);
  ASSERT_EQ(second->file(0).bytes.size(), file.size());
  EXPECT_EQ(std::memcmp(second->file(0).bytes.data(), file.data(), file.size()), 0);
  EXPECT_EQ(daemon.GetStatus()["leases"], 2);
}

TEST_F(DaemonTest, WithoutAPreparerAnAddSaysWhereItLookedAndWhatToDo) {
  DaemonProcess daemon(folder_.path(), {"--preparer", folder_.path() + "/none"});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  Result<Admin> admin = Admin::Connect({.socket_path = daemon.socket()});
  ASSERT_TRUE(admin.ok()) << admin.status().ToString();
  const Status status = admin->Add("one", "file://" + folder_.path()).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr(folder_.path() + "/none"));
  EXPECT_THAT(status.hint(), HasSubstr("--preparer PATH"));
}

TEST_F(DaemonTest, AFileOfAnyNameIsAddedByItsUrlAndOpened) {
  DaemonProcess daemon(folder_.path());
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  const std::string bytes(kModelBytes, 'm');
  std::ofstream(folder_.path() + "/m\u00fc 100%#1?.bin", std::ios::binary) << bytes;
  Result<Admin> admin = Admin::Connect({.socket_path = daemon.socket(), .client_name = "e2e"});
  ASSERT_TRUE(admin.ok());
  const std::string url = "file://" + folder_.path() + "/m%C3%BC%20100%25%231%3F.bin";
  const Result<std::string> added =
      admin->Add("odd", url, {.variants = {Variant::kFiles}, .on_progress = {}});
  ASSERT_TRUE(added.ok()) << added.status().ToString();
  EXPECT_EQ(nlohmann::json::parse(*added)["source"], url);
  const Result<Model> model = Open(daemon, "odd");
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->file(0).bytes.size(), bytes.size());
  EXPECT_EQ(std::memcmp(model->file(0).bytes.data(), bytes.data(), bytes.size()), 0);
}

TEST_F(DaemonTest, TwoProcessesHaveTheSamePages) {
  DaemonProcess daemon(folder_.path());
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  daemon.AddFile("one", kModelBytes);
  ChildProcess a = ChildProcess::Start({CLIENT_PROGRAM, "inode", daemon.socket(), "one"});
  ChildProcess b = ChildProcess::Start({CLIENT_PROGRAM, "inode", daemon.socket(), "one"});
  const std::string said_a = a.ReadAll();
  EXPECT_FALSE(said_a.empty());
  EXPECT_EQ(said_a, b.ReadAll());
}

TEST_F(DaemonTest, TheLeastRecentlyUsedModelGoesAndALeasedOneStays) {
  DaemonProcess daemon(folder_.path(), {"--host-budget", "10MiB", "--eviction", "lru"});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  for (const char* name : {"a", "b", "c"}) daemon.AddFile(name, kModelBytes);
  ASSERT_TRUE(Open(daemon, "a").ok());
  ASSERT_TRUE(Open(daemon, "b").ok());
  daemon.GetSettledStatus();
  EXPECT_TRUE(Open(daemon, "a")->info().hit);
  daemon.GetSettledStatus();
  ASSERT_TRUE(Open(daemon, "c").ok());  // in the place of b
  daemon.GetSettledStatus();
  const Result<Model> a = Open(daemon, "a");
  EXPECT_TRUE(a->info().hit);
  const Result<Model> c = Open(daemon, "c");
  EXPECT_TRUE(c->info().hit);
  EXPECT_EQ(Open(daemon, "b").status().code(), StatusCode::kResourceExhausted);
}

TEST_F(DaemonTest, AModelLargerThanTheBudgetIsRefusedWithBothNumbers) {
  DaemonProcess daemon(folder_.path(), {"--host-budget", "2MiB"});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  daemon.AddFile("large", kModelBytes);
  EXPECT_EQ(Open(daemon, "large").status().code(), StatusCode::kTooLarge);
}

TEST_F(DaemonTest, EagerReclaimLeavesNothing) {
  DaemonProcess daemon(folder_.path(), {"--reclaim", "eager"});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  daemon.AddFile("one", kModelBytes);
  ASSERT_TRUE(Open(daemon, "one").ok());
  EXPECT_EQ(daemon.GetSettledStatus()["host"]["used_bytes"], 0);
}

TEST_F(DaemonTest, ItsPolicyIsChangedWhileItRuns) {
  DaemonProcess daemon(folder_.path(), {"--host-budget", "10MiB", "--eviction", "never"});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  for (const char* name : {"a", "b", "c"}) daemon.AddFile(name, kModelBytes);
  ASSERT_TRUE(Open(daemon, "a").ok());
  ASSERT_TRUE(Open(daemon, "b").ok());
  daemon.GetSettledStatus();
  EXPECT_EQ(Open(daemon, "c").status().code(), StatusCode::kResourceExhausted);

  // Each time a connection of its own, since a daemon with one is not settled.
  const auto policy = [&](const PolicyOptions& options) -> Result<std::string> {
    TRIMS_ASSIGN_OR_RETURN(Admin admin, Admin::Connect({.socket_path = daemon.socket()}));
    return admin.Policy(options);
  };
  EXPECT_EQ(policy({.eviction = "mru"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(policy({.tier = "moon"}).status().code(), StatusCode::kNotFound);
  EXPECT_THAT(*policy({}), HasSubstr("\"eviction_policy\":\"never\""));
  EXPECT_THAT(*policy({.eviction = "lru", .admission = "tinylfu"}),
              HasSubstr("\"eviction_policy\":\"lru\""));
  EXPECT_EQ(daemon.GetSettledStatus()["host"]["admission"], "tinylfu");
  EXPECT_TRUE(Open(daemon, "c").ok());
  daemon.GetSettledStatus();
  {
    const Result<Model> held = Open(daemon, "c");
    ASSERT_TRUE(policy({.budget = "1MiB"}).ok());
    EXPECT_EQ(Open(daemon, "a").status().code(), StatusCode::kTooLarge);
    EXPECT_TRUE(Open(daemon, "c").ok()) << "it is leased";
  }
  EXPECT_THAT(*policy({.tier = "disk", .budget = "none"}), HasSubstr("\"budget_bytes\":null"));
  EXPECT_EQ(policy({.tier = "disk", .reclaim = "eager"}).status().code(),
            StatusCode::kInvalidArgument);
  ASSERT_TRUE(policy({.budget = "64MiB"}).ok());
  ASSERT_TRUE(policy({.reclaim = "eager"}).ok());
  EXPECT_EQ(daemon.GetSettledStatus()["host"]["used_bytes"], 0) << "nobody holds them";
}

TEST_F(DaemonTest, SigtermEndsItCleanly) {
  DaemonProcess daemon(folder_.path());
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  daemon.AddFile("one", kModelBytes);
  const Result<Model> model = Open(daemon, "one");
  ASSERT_TRUE(model.ok());
  daemon.process().Signal(SIGTERM);
  EXPECT_EQ(daemon.process().Wait(), 0) << daemon.Log();
  EXPECT_FALSE(Exists(daemon.socket()));
  EXPECT_THAT(daemon.Log(), HasSubstr("trimsd.stopped"));
  EXPECT_EQ(model->file(0).bytes.size(), kModelBytes);
}

TEST_F(DaemonTest, LeavesWhenNobodyNeedsIt) {
  DaemonProcess daemon(folder_.path(), {"--idle-exit", "50ms"});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  EXPECT_EQ(daemon.process().Wait(), 0);
  EXPECT_FALSE(Exists(daemon.socket()));
  DaemonProcess next(folder_.path());
  EXPECT_TRUE(next.ready()) << next.Log();
}

TEST_F(DaemonTest, ASecondOneForTheSameSocketOrDataIsRefused) {
  DaemonProcess daemon(folder_.path());
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  DaemonProcess second(folder_.path());
  EXPECT_FALSE(second.ready());
  EXPECT_EQ(second.process().Wait(), 1);
  EXPECT_THAT(daemon.Log(), HasSubstr("another trimsd serves"));
  ChildProcess third = ChildProcess::Start(
      {TRIMSD_PROGRAM, "--socket", folder_ / "other/trimsd.sock", "--data", folder_ / "data"}, {},
      folder_ / "log");
  EXPECT_EQ(third.Wait(), 1);
  EXPECT_THAT(daemon.Log(), HasSubstr("another trimsd keeps its models"));
  EXPECT_TRUE(daemon.GetStatus().is_object());
}

TEST_F(DaemonTest, ASocketFolderThatOthersMayWriteIsRefused) {
  std::filesystem::create_directory(folder_ / "run");
  ASSERT_EQ(::chmod((folder_ / "run").c_str(), 0777), 0);
  DaemonProcess daemon(folder_.path());
  EXPECT_FALSE(daemon.ready());
  EXPECT_EQ(daemon.process().Wait(), 1);
  EXPECT_THAT(daemon.Log(), HasSubstr("others may write"));
}

TEST_F(DaemonTest, AKilledDaemonLeavesItsClientsTheirPagesAndTheNextOneStartsClean) {
  std::string file;
  Result<Client> client(Status(StatusCode::kInternal, "not connected yet"));
  Result<Model> model(Status(StatusCode::kInternal, "not open yet"));
  {
    DaemonProcess killed(folder_.path());
    ASSERT_TRUE(killed.ready()) << killed.Log();
    file = ReadFile(killed.AddFile("one", kModelBytes));
    client = killed.Connect();
    ASSERT_TRUE(client.ok());
    model = client->Open("one");
    ASSERT_TRUE(model.ok());
    killed.process().Signal(SIGKILL);
    EXPECT_EQ(killed.process().Wait(), 128 + SIGKILL);
  }
  EXPECT_EQ(std::memcmp(model->file(0).bytes.data(), file.data(), file.size()), 0);
  DaemonProcess next(folder_.path());
  ASSERT_TRUE(next.ready()) << next.Log();
  EXPECT_EQ(next.GetStatus()["leases"], 0);
  EXPECT_EQ(next.GetStatus()["host"]["used_bytes"], 0);
  const Result<Model> again = client->Open("one");  // over a new connection
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_FALSE(again->info().hit);
  EXPECT_EQ(std::memcmp(again->file(0).bytes.data(), model->file(0).bytes.data(), file.size()), 0);
}

TEST_F(DaemonTest, NothingThatAClientGotCanBeWritten) {
  DaemonProcess daemon(folder_.path());
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  daemon.AddFile("one", kModelBytes);
  const Result<Model> model = Open(daemon, "one");
  ASSERT_TRUE(model.ok());
  const int fd = model->extent_fd(0);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  void* const mapped = const_cast<std::byte*>(model->bytes().data());
  EXPECT_NE(::mprotect(mapped, 4096, PROT_READ | PROT_WRITE), 0);
  EXPECT_LT(::write(fd, "x", 1), 0);
  EXPECT_LT(::pwrite(fd, "x", 1, 0), 0);
  EXPECT_NE(::ftruncate(fd, 0), 0);
  EXPECT_NE(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
  // Who owns the daemon may open its memory anew for writing; the seals then refuse each write.
  const UniqueFd anew(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC));
  if (anew) {
    EXPECT_LT(::write(anew.get(), "x", 1), 0);
    EXPECT_NE(::ftruncate(anew.get(), 0), 0);
    EXPECT_NE(::fallocate(anew.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
    EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, anew.get(), 0), MAP_FAILED);
  }
}

TEST_F(DaemonTest, TwoAutostartsAtOnceStartOneDaemon) {
  std::filesystem::create_directory(folder_ / "runtime");
  ASSERT_EQ(::chmod((folder_ / "runtime").c_str(), 0700), 0);
  const std::vector<std::string> environment = {"XDG_RUNTIME_DIR=" + (folder_ / "runtime"),
                                                "XDG_DATA_HOME=" + (folder_ / "home"),
                                                "TRIMS_AUTOSTART=1", "TRIMS_SOCKET="};
  const std::vector<std::string> command = {CLIENT_PROGRAM, "autostart", TRIMSD_PROGRAM};
  std::vector<ChildProcess> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(ChildProcess::Start(command, environment));
  pid_t pid = 0;
  for (ChildProcess& client : clients) {
    const nlohmann::json status = nlohmann::json::parse(client.ReadAll(), nullptr, false);
    ASSERT_TRUE(status.is_object()) << ReadFile(folder_ / "runtime/trims/trimsd.log");
    const pid_t answered = status["server"]["pid"].get<pid_t>();
    if (pid == 0) pid = answered;
    EXPECT_EQ(answered, pid);
  }
  ASSERT_GT(pid, 0);
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ASSERT_TRUE(process);
  ASSERT_EQ(::kill(pid, SIGTERM), 0);
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ended, 1, 30'000), 1);  // nobody's child: its end can only be seen
}

}  // namespace
}  // namespace trims::test
