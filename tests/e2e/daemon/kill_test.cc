// Clients are killed at 200 random moments of connect, open, load, touch and close. Afterwards no
// lease, no descriptor and no byte of budget is missing.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <iostream>
#include <random>
#include <string>

#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

constexpr unsigned kSeed = 20261123;
constexpr int kKills = 100;  // in each of the two tests
constexpr size_t kModelBytes = size_t{1} << 20;

// Lets the client go on for a moment of this processor's time, so that the kill falls between two
// steps.
void Spin(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

void KillClients(const DaemonProcess& daemon, unsigned seed) {
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  for (int i = 0; i < kKills; ++i) {
    ChildProcess client = ChildProcess::Start({CLIENT_PROGRAM, "loop", daemon.socket(), "a", "b"});
    const unsigned steps = random() % 12;
    for (unsigned step = 0; step < steps; ++step) ASSERT_TRUE(client.ReadByte()) << "kill " << i;
    Spin(std::chrono::microseconds(random() % 300));
    client.Signal(SIGKILL);
    ASSERT_EQ(client.Wait(), 128 + SIGKILL) << "kill " << i;
  }
}

// Both models have been loaded and freed before anything is counted.
void WarmUp(DaemonProcess* daemon) {
  daemon->AddFile("a", kModelBytes);
  daemon->AddFile("b", kModelBytes);
  for (const char* name : {"a", "b"}) {
    Result<Client> client = daemon->Connect();
    ASSERT_TRUE(client.ok());
    ASSERT_TRUE(client->Open(name).ok());
  }
}

TEST(KillTest, WithEagerReclaimNothingIsLeft) {
  const testing::ScratchFolder folder;
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
  const testing::ScratchFolder folder;
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

}  // namespace
}  // namespace trims::test
