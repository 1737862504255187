// A daemon that is started anew, with what the one before had in memory: after a stop, after a kill, with a keeper
// that is killed, too, or hands over what it shouldn't; and the clients who go on meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "e2e/daemon/daemon_process.h"
#include "keeper/keeper_link.h"
#include "store/host_memory.h"
#include "support/fewer_open_files.h"
#include "support/scratch_folder.h"
#include "wire/channel.h"
#include "wire/principal.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kModelBytes = size_t{4} << 20;
constexpr int kMostLooks = 100'000;
constexpr int kEndMs = 60'000;

class RestartTest : public ::testing::Test {
 protected:
  ~RestartTest() override {
    daemon_.reset();
    KillKeeper();
  }

  void Start(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"--keeper", "process", "--keep-for", "10m"});
    StartWith(arguments);
  }
  void StartWith(const std::vector<std::string>& arguments) {
    daemon_ = std::make_unique<DaemonProcess>(folder_.path(), arguments);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }
  void Stop(int signal) {
    daemon_->process().Signal(signal);
    EXPECT_EQ(daemon_->process().Wait(), signal == SIGKILL ? 128 + SIGKILL : 0);
  }

  std::string KeeperSocket() const { return folder_.path() + "/run/trimsd.sock.keeper"; }
  // 0: there is none.
  pid_t KeeperPid() const {
    const Result<UniqueFd> socket = wire::ConnectTo(KeeperSocket());
    if (!socket.ok()) return 0;
    const Result<wire::Principal> peer = wire::PeerOf(socket->get());
    return peer.ok() && peer->pid != ::getpid() ? peer->pid : 0;
  }
  // Until it is no more, whoever collects it.
  static void AwaitEnd(pid_t pid) {
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) return;
    pollfd waited{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waited, 1, kEndMs), 1) << "the keeper is still there";
  }
  void KillKeeper() const {
    const pid_t pid = KeeperPid();
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    AwaitEnd(pid);
  }

  Result<Model> Open(const std::string& name) const {
    Result<Client> client = daemon_->Connect();
    if (!client.ok()) return client.status();
    return client->Open(name);
  }
  // Whether it has the bytes of its file.
  void ExpectServes(const std::string& name, bool hit) {
    const Result<Model> model = Open(name);
    ASSERT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
    EXPECT_EQ(model->info().hit, hit) << name << daemon_->Log();
    const std::string file = ReadFile(folder_.path() + "/" + name + ".bin");
    ASSERT_EQ(model->file(0).bytes.size(), file.size());
    EXPECT_EQ(std::memcmp(model->file(0).bytes.data(), file.data(), file.size()), 0) << name;
  }
  void AddAndOpen(const std::string& name) {
    daemon_->AddFile(name, kModelBytes);
    ASSERT_TRUE(Open(name).ok()) << daemon_->Log();
  }
  // One that may open few files, after one that had so many models.
  void StartAgainOver(int models, rlim_t open_files) {
    Start();
    for (int i = 0; i < models; ++i) AddAndOpen("model" + std::to_string(i));
    Stop(SIGKILL);
    const FewerOpenFiles fewer(open_files);
    Start();
  }

  nlohmann::json Counters() { return daemon_->GetSettledStatus()["counters"]; }
  nlohmann::json SegmentOf(const std::string& name) {
    const nlohmann::json status = daemon_->GetStatus();
    for (const nlohmann::json& segment : status["segments"]) {
      if (segment["reference"].get<std::string>().starts_with("default/" + name + ":"))
        return segment;
    }
    return {};
  }
  bool ComesToHold(uint64_t leases) {
    for (int i = 0; i < kMostLooks; ++i) {
      if (daemon_->GetStatus()["leases"] == leases) return true;
    }
    return false;
  }
  ChildProcess HoldInAnotherProcess(const std::string& name) {
    ChildProcess client = ChildProcess::Start({CLIENT_PROGRAM, "hold", daemon_->socket(), name});
    EXPECT_TRUE(client.ReadByte());
    return client;
  }

  // As the keeper of a daemon that has just been killed has them.
  std::unique_ptr<DescriptorKeeper> BeTheDaemon() const {
    Result<std::unique_ptr<DescriptorKeeper>> link =
        ConnectToKeeper(KeeperSocket(), std::chrono::minutes(10));
    EXPECT_TRUE(link.ok()) << link.status().ToString();
    return *std::move(link);
  }

  const ScratchFolder folder_;
  std::unique_ptr<DaemonProcess> daemon_;
};

class RestartAfterTest : public RestartTest, public ::testing::WithParamInterface<int> {};

TEST_P(RestartAfterTest, WhatWasResidentIsAndNoByteIsRead) {
  Start();
  AddAndOpen("one");
  const nlohmann::json before = SegmentOf("one");
  EXPECT_EQ(before["taken_over"], false);
  Stop(GetParam());
  Start();
  ExpectServes("one", /*hit=*/true);
  const nlohmann::json after = SegmentOf("one");
  EXPECT_EQ(after["taken_over"], true) << after.dump(2);
  EXPECT_EQ(after["held_from_before"], false);
  EXPECT_EQ(after["pages"], before["pages"]);
  EXPECT_EQ(after["bytes"], before["bytes"]);
  const nlohmann::json counters = Counters();
  EXPECT_EQ(counters["taken_over"], 1);
  EXPECT_EQ(counters["bytes_taken_over"], before["bytes"]);
  EXPECT_EQ(counters["loads"], 0);
  EXPECT_EQ(counters["bytes_loaded"], 0);
  EXPECT_EQ(daemon_->GetStatus()["keeper"], "process");
}

INSTANTIATE_TEST_SUITE_P(AStopOrAKill, RestartAfterTest, ::testing::Values(SIGTERM, SIGKILL),
                         [](const auto& info) {
                           return std::string(info.param == SIGTERM ? "SIGTERM" : "SIGKILL");
                         });

TEST_F(RestartTest, ManyRestartsGoOnWithTheSameMemory) {
  Start();
  AddAndOpen("one");
  for (int i = 0; i < 4; ++i) {
    Stop(i % 2 == 0 ? SIGKILL : SIGTERM);
    Start();
    ExpectServes("one", /*hit=*/true);
    EXPECT_EQ(Counters()["loads"], 0);
  }
}

TEST_F(RestartTest, AnInterruptEndsTheKeeperToo) {
  Start();
  AddAndOpen("one");
  const pid_t keeper = KeeperPid();
  ASSERT_GT(keeper, 0);
  Stop(SIGINT);
  AwaitEnd(keeper);
  Start();
  ExpectServes("one", /*hit=*/false);
}

TEST_F(RestartTest, WithoutAKeeperTheNextDaemonIsCold) {
  StartWith({});
  AddAndOpen("one");
  Stop(SIGTERM);
  EXPECT_EQ(KeeperPid(), 0);
  Start();
  ExpectServes("one", /*hit=*/false);
}

TEST_F(RestartTest, ALeaseOfBeforeCountsUntilItsHolderGoes) {
  Start();
  AddAndOpen("one");
  AddAndOpen("two");
  ChildProcess client = HoldInAnotherProcess("one");
  Stop(SIGKILL);
  Start();
  ExpectServes("one", /*hit=*/true);
  EXPECT_EQ(SegmentOf("one")["held_from_before"], true);
  EXPECT_EQ(SegmentOf("one")["leases"], 1);
  EXPECT_EQ(SegmentOf("two")["leases"], 0);
  Result<Admin> admin = Admin::Connect({.socket_path = daemon_->socket()});
  ASSERT_TRUE(admin.ok());
  EXPECT_THAT(admin->Evict("one").status().message(), HasSubstr("from before this daemon started"));
  EXPECT_TRUE(admin->Evict("two").ok());
  client.Signal(SIGKILL);
  client.Wait();
  EXPECT_TRUE(ComesToHold(0)) << daemon_->GetStatus().dump(2);
  EXPECT_EQ(SegmentOf("one")["held_from_before"], false);
  EXPECT_TRUE(admin->Evict("one").ok());
}

TEST_F(RestartTest, ALeaseOfBeforeCountsAcrossSeveralRestarts) {
  Start();
  AddAndOpen("one");
  ChildProcess client = HoldInAnotherProcess("one");
  for (const int signal : {SIGKILL, SIGTERM}) {
    Stop(signal);
    Start();
    EXPECT_TRUE(ComesToHold(1)) << daemon_->Log();
  }
  client.Signal(SIGKILL);
  client.Wait();
  EXPECT_TRUE(ComesToHold(0));
}

TEST_F(RestartTest, EagerlyReclaimedWhatIsOpenStaysUntilItIsNot) {
  Start({"--reclaim", "eager"});
  AddAndOpen("one");
  ChildProcess client = HoldInAnotherProcess("one");
  Stop(SIGTERM);
  Start({"--reclaim", "eager"});
  EXPECT_TRUE(ComesToHold(1));
  client.Signal(SIGKILL);
  client.Wait();
  EXPECT_TRUE(ComesToHold(0));
  EXPECT_EQ(daemon_->GetSettledStatus()["host"]["used_bytes"], 0);
}

TEST_F(RestartTest, AClientGoesOnWithItsPagesAndItsClient) {
  Start();
  AddAndOpen("one");
  Result<Client> client = daemon_->Connect();
  ASSERT_TRUE(client.ok());
  Result<Model> model = client->Open("one");
  ASSERT_TRUE(model.ok());
  const std::byte first = model->file(0).bytes[0];
  Stop(SIGKILL);
  Start();
  EXPECT_EQ(model->file(0).bytes[0], first);
  const Result<Model> again = client->Open("one");
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_TRUE(again->info().hit);
  EXPECT_EQ(SegmentOf("one")["leases"], 2) << "the one of before, and the new one";
  model->Close();
  EXPECT_TRUE(ComesToHold(1));
}

TEST_F(RestartTest, WithTheKeeperKilledTooItIsOnlyCold) {
  Start();
  AddAndOpen("one");
  KillKeeper();
  ExpectServes("one", /*hit=*/true);
  AddAndOpen("two");
  EXPECT_THAT(daemon_->Log(), HasSubstr("keeper.lost"));
  Stop(SIGKILL);
  Start();
  EXPECT_EQ(Counters()["taken_over"], 0);
  ExpectServes("one", /*hit=*/false);
  ExpectServes("two", /*hit=*/false);
}

TEST_F(RestartTest, EvictedMemoryIsNotKept) {
  Start();
  AddAndOpen("one");
  {
    Result<Admin> admin = Admin::Connect({.socket_path = daemon_->socket()});
    ASSERT_TRUE(admin.ok() && admin->Evict("one").ok());
  }
  daemon_->GetSettledStatus();
  Stop(SIGKILL);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() + "/data/kept"));
  Start();
  EXPECT_EQ(Counters()["taken_over"], 0);
}

TEST_F(RestartTest, AForgedSegmentIsRefusedAndTheFilesAreServed) {
  Start();
  AddAndOpen("one");
  AddAndOpen("two");
  Stop(SIGKILL);
  {
    const std::unique_ptr<DescriptorKeeper> keeper = BeTheDaemon();
    std::vector<KeptDescriptors> held = keeper->TakeHeld().value();
    ASSERT_EQ(held.size(), 2u);
    std::vector<int> swapped;  // each as the other
    for (const UniqueFd& fd : held[1].fds) swapped.push_back(fd.get());
    ASSERT_TRUE(keeper->Keep(held[0].label, swapped).ok());
    const std::vector<std::byte> lie(kModelBytes, std::byte{1});
    const SealedExtent forged = SealedCopy("lie", lie).value();
    const std::vector<int> fds = {held[1].fds[0].get(), forged.read_only_fd()};
    ASSERT_TRUE(keeper->Keep(held[1].label, fds).ok());
  }
  Start();
  EXPECT_THAT(daemon_->Log(), HasSubstr("keeper.refused"));
  EXPECT_EQ(Counters()["taken_over"], 0);
  ExpectServes("one", /*hit=*/false);
  ExpectServes("two", /*hit=*/false);
}

TEST_F(RestartTest, OfSeveralNamesOfOneContentItIsTheOneThatItWasLoadedFor) {
  Start();
  const std::string file = daemon_->AddFile("alpha", kModelBytes);
  {
    Result<Admin> admin = Admin::Connect({.socket_path = daemon_->socket()});
    ASSERT_TRUE(admin.ok());
    for (const char* name : {"team/omega", "beta"}) {
      const Result<std::string> added =
          admin->Add(name, "file://" + file, {.variants = {Variant::kFiles}, .on_progress = {}});
      ASSERT_TRUE(added.ok()) << added.status().ToString();
    }
    ASSERT_TRUE(daemon_->Connect()->Open("team/omega").ok());
  }
  Stop(SIGKILL);
  Start();
  const nlohmann::json segments = daemon_->GetStatus()["segments"];
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_THAT(segments[0]["reference"].get<std::string>(), HasSubstr("team/omega"));
}

TEST_F(RestartTest, WithFewDescriptorsAPartIsTakenOver) {
  StartAgainOver(/*models=*/40, /*open_files=*/128);
  EXPECT_THAT(daemon_->Log(), HasSubstr("keeper.refused"));
  EXPECT_THAT(daemon_->Log(), HasSubstr("connections.limited"));
  const int taken_over = Counters()["taken_over"];
  EXPECT_GT(taken_over, 0);
  EXPECT_LT(taken_over, 40);
}

TEST_F(RestartTest, WhereNothingCanBeTakenOverTheDaemonStartsColdAndKeepsWithAnotherKeeper) {
  StartAgainOver(/*models=*/40, /*open_files=*/64);
  EXPECT_THAT(daemon_->Log(), HasSubstr("keeper.not_taken_over"));
  EXPECT_EQ(Counters()["taken_over"], 0);
  ExpectServes("model7", /*hit=*/false);
  EXPECT_EQ(daemon_->GetStatus()["keeper"], "process");
  Stop(SIGKILL);
  Start();
  ExpectServes("model7", /*hit=*/true);
}

TEST_F(RestartTest, ASegmentThatLacksADescriptorIsRefused) {
  Start();
  AddAndOpen("one");
  Stop(SIGKILL);
  {
    const std::unique_ptr<DescriptorKeeper> keeper = BeTheDaemon();
    std::vector<KeptDescriptors> held = keeper->TakeHeld().value();
    ASSERT_EQ(held.size(), 1u);
    const int index = held[0].fds[0].get();
    ASSERT_TRUE(keeper->Keep(held[0].label, std::span<const int>(&index, 1)).ok());
  }
  Start();
  ExpectServes("one", /*hit=*/false);
}

TEST_F(RestartTest, WhatDoesNotFitALesserBudgetGoesAndTheRestStays) {
  Start();
  for (const char* name : {"one", "two", "three"}) AddAndOpen(name);
  ChildProcess client = HoldInAnotherProcess("three");
  Stop(SIGTERM);
  Start({"--host-budget", "9MiB"});
  EXPECT_TRUE(ComesToHold(1));
  const nlohmann::json status = daemon_->GetSettledStatus();
  EXPECT_EQ(SegmentOf("three")["held_from_before"], true) << "what is open comes first";
  EXPECT_LE(status["host"]["used_bytes"], 9 << 20);
  EXPECT_EQ(status["segments"].size(), 2u) << status.dump(2);
  client.Signal(SIGKILL);
  client.Wait();
  for (const char* name : {"one", "two", "three"}) ASSERT_TRUE(Open(name).ok());
}

TEST_F(RestartTest, AModelThatWasRemovedMeanwhileIsDropped) {
  Start();
  AddAndOpen("one");
  AddAndOpen("two");
  Stop(SIGTERM);
  StartWith({});
  Result<Admin> admin = Admin::Connect({.socket_path = daemon_->socket()});
  ASSERT_TRUE(admin.ok() && admin->Remove("one").ok());
  Stop(SIGTERM);
  Start();
  ExpectServes("two", /*hit=*/true);
  EXPECT_EQ(Counters()["taken_over"], 1);
  EXPECT_EQ(SegmentOf("one"), nlohmann::json());
}

TEST_F(RestartTest, ADeviceIsFilledFromWhatWasTakenOver) {
  const std::vector<std::string> device = {"--device", "sim:0,capacity=64MiB"};
  Start(device);
  AddAndOpen("one");
  Stop(SIGKILL);
  Start(device);
  Result<Client> client = daemon_->Connect();
  ASSERT_TRUE(client.ok());
  const Result<Model> model = client->Open("one", {.tier = "sim:0"});
  ASSERT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
  const nlohmann::json counters = daemon_->GetStatus()["counters"];
  EXPECT_EQ(counters["taken_over"], 1);
  EXPECT_EQ(counters["loads"], 1) << "that of the device";
}

// At any moment of a load, an eviction, a hand-over and a start: whatever is served afterwards is right, and
// nothing that was added is missing.
TEST_F(RestartTest, KilledAtAnyMomentItLosesNothingButWarmth) {
  const char* given = std::getenv("TRIMS_STORE_SEED");
  const unsigned seed = given == nullptr ? 20261127u : static_cast<unsigned>(std::atoi(given));
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  const std::vector<std::string> budget = {"--host-budget", "9MiB"};  // so that each load evicts
  Start(budget);
  const std::vector<std::string> names = {"one", "two", "three"};
  for (const std::string& name : names) AddAndOpen(name);
  for (int i = 0; i < 15; ++i) {
    ChildProcess loop =
        ChildProcess::Start({CLIENT_PROGRAM, "loop", daemon_->socket(), "one", "two", "three"});
    for (unsigned step = random() % 20; step > 0 && loop.ReadByte(); --step) {
    }
    Stop(SIGKILL);
    loop.Signal(SIGKILL);
    loop.Wait();
    Start(budget);
  }
  for (const std::string& name : names) {
    const Result<Model> model = Open(name);
    ASSERT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
    const std::string file = ReadFile(folder_.path() + "/" + name + ".bin");
    EXPECT_EQ(std::memcmp(model->file(0).bytes.data(), file.data(), file.size()), 0);
  }
  EXPECT_TRUE(ComesToHold(0)) << daemon_->GetStatus().dump(2);
  EXPECT_EQ(daemon_->GetStatus()["models"], names.size());
}

// Each call that a hand-over makes fails in its turn. A daemon may say that it can't start; what is served is right,
// and so is it by the next daemon.
TEST_F(RestartTest, EachCallOfAHandOverMayFail) {
  // A keeper that a daemon gave up ends by itself.
  const std::vector<std::string> briefly = {"--keeper", "process", "--keep-for", "20s"};
  StartWith(briefly);
  AddAndOpen("one");
  Stop(SIGKILL);
  for (const char* op : {"reopen", "send", "receive", "write", "rename", "mmap", "open"}) {
    for (int nth = 1; nth <= 4; ++nth) {
      const std::string plan = std::string(op) + ":" + std::to_string(nth) + ":24";
      SCOPED_TRACE(plan);
      daemon_ = std::make_unique<DaemonProcess>(
          folder_.path(),
          std::vector<std::string>{"--keeper", "process", "--keep-for", "20s",
                                   "--allow-fault-injection"},
          std::vector<std::string>{"TRIMS_FAULT=" + plan});
      if (daemon_->ready()) static_cast<void>(Open("one"));
      daemon_->process().Signal(SIGKILL);
      daemon_->process().Wait();
      StartWith(briefly);
      ASSERT_TRUE(Open("one").ok()) << daemon_->Log();
      ExpectServes("one", /*hit=*/true);
      Stop(SIGKILL);
    }
  }
}

}  // namespace
}  // namespace trims::test
