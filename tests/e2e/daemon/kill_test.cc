// Clients are killed at 300 random moments of connect, open, load, touch and close. Afterwards no
// lease, no descriptor and no byte of budget is missing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <random>
#include <string>

#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

constexpr unsigned kSeed = 20261123;
constexpr int kKills = 100;  // in each of the tests
constexpr size_t kKilledModelBytes = size_t{1} << 20;

// Lets the client go on for a moment of this processor's time, so that the kill falls between two
// steps.
void Spin(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

void KillClients(const DaemonProcess& daemon, unsigned seed, const std::string& tier = "") {
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  for (int i = 0; i < kKills; ++i) {
    ChildProcess client = ChildProcess::Start({CLIENT_PROGRAM, "loop", daemon.socket(), "a", "b"},
                                              {"TEST_TIER=" + tier});
    const unsigned steps = random() % 12;
    for (unsigned step = 0; step < steps; ++step) ASSERT_TRUE(client.ReadByte()) << "kill " << i;
    Spin(std::chrono::microseconds(random() % 300));
    client.Signal(SIGKILL);
    ASSERT_EQ(client.Wait(), 128 + SIGKILL) << "kill " << i;
  }
}

// Both models have been loaded and freed before anything is counted.
void WarmUp(DaemonProcess* daemon) {
  daemon->AddFile("a", kKilledModelBytes);
  daemon->AddFile("b", kKilledModelBytes);
  for (const char* name : {"a", "b"}) {
    Result<Client> client = daemon->Connect();
    ASSERT_TRUE(client.ok());
    ASSERT_TRUE(client->Open(name).ok());
  }
}

TEST(KillTest, WithEagerReclaimNothingIsLeft) {
  const test::ScratchFolder folder;
  DaemonProcess daemon(folder.path(), {"--reclaim", "eager"});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  WarmUp(&daemon);
  ASSERT_EQ(daemon.GetSettledStatus()["host"]["used_bytes"], 0);
  const size_t before = daemon.Descriptors();
  KillClients(daemon, kSeed);
  const nlohmann::json status = daemon.GetSettledStatus();
  EXPECT_EQ(status["leases"], 0);
  EXPECT_EQ(status["waiters"], 0);
  EXPECT_EQ(status["host"]["used_bytes"], 0) << status.dump(2);
  EXPECT_EQ(daemon.Descriptors(), before);
}

TEST(KillTest, WithLazyReclaimTheModelsStayAndNothingElse) {
  const test::ScratchFolder folder;
  DaemonProcess daemon(folder.path());
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  WarmUp(&daemon);
  const nlohmann::json resident = daemon.GetSettledStatus()["host"];
  const size_t before = daemon.Descriptors();
  KillClients(daemon, kSeed + 1);
  const nlohmann::json status = daemon.GetSettledStatus();
  EXPECT_EQ(status["leases"], 0);
  EXPECT_EQ(status["waiters"], 0);
  EXPECT_EQ(status["host"], resident);
  EXPECT_EQ(daemon.Descriptors(), before);
}

TEST(KillTest, OnADeviceWithEagerReclaimNothingIsLeft) {
  const test::ScratchFolder folder;
  DaemonProcess daemon(folder.path(), {"--reclaim", "eager", "--device", "sim:0,capacity=16MiB"});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  WarmUp(&daemon);
  daemon.GetSettledStatus();
  const size_t before = daemon.Descriptors();
  KillClients(daemon, kSeed + 2, "any");
  const nlohmann::json status = daemon.GetSettledStatus();
  EXPECT_EQ(status["leases"], 0);
  EXPECT_EQ(status["waiters"], 0);
  for (const nlohmann::json& tier : status["tiers"]) EXPECT_EQ(tier["used_bytes"], 0) << tier;
  EXPECT_EQ(daemon.Descriptors(), before);
}

// So large that hashing it takes longer than the test, and made of nothing: it has no blocks.
constexpr off_t kEndlessBytes = off_t{64} << 30;

TEST(KillTest, APreparerDoesNotOutliveTheDaemon) {
  const test::ScratchFolder folder;
  const std::string model = folder.path() + "/endless.bin";
  ASSERT_TRUE(UniqueFd(::open(model.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
  ASSERT_EQ(::truncate(model.c_str(), kEndlessBytes), 0);
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // the daemon's child becomes this process's
  DaemonProcess daemon(folder.path());
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  Result<Admin> admin = Admin::Connect({.socket_path = daemon.socket(), .client_name = "e2e"});
  ASSERT_TRUE(admin.ok());
  const auto kill = [&daemon](const Progress&) { daemon.process().Signal(SIGKILL); };
  const Result<std::string> added = admin->Add(
      "endless", "file://" + model, {.variants = {Variant::kFiles}, .on_progress = kill});
  EXPECT_EQ(added.status().code(), StatusCode::kUnavailable) << added.status().ToString();
  EXPECT_EQ(daemon.process().Wait(), 128 + SIGKILL);
  int status = 0;
  EXPECT_GT(::waitpid(-1, &status, 0), 0) << "no preparer was left";
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  EXPECT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

}  // namespace
}  // namespace trims::test
