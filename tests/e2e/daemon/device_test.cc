// The device tier in a real daemon, with simulated devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/macros.h"
#include "e2e/daemon/daemon_process.h"
#include "support/children.h"
#include "support/cuda_standin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kDeviceModelBytes = size_t{5} << 20;  // 6 MiB of a device

class DeviceTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment = {}) {
    daemon_.emplace(folder_.path(), arguments, environment);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }
  Result<Model> Open(const std::string& name, const std::string& tier) {
    TRIMS_ASSIGN_OR_RETURN(Client client, daemon_->Connect());
    return client.Open(name, {.tier = tier});
  }
  Admin ConnectOperator() {
    return Admin::Connect({.socket_path = daemon_->socket(), .client_name = "operator"}).value();
  }
  // Of the tier with this name, once nothing is under way.
  nlohmann::json Tier(const std::string& name) {
    const nlohmann::json status = daemon_->GetSettledStatus();
    for (const nlohmann::json& tier : status["tiers"]) {
      if (tier["name"] == name) return tier;
    }
    return {};
  }

  const ScratchFolder folder_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(DeviceTest, AMissFillsHostAndDeviceAndTheBytesAreTheModels) {
  Start({"--device", "sim:0,capacity=64MiB"});
  const std::string path = daemon_->AddFile("one", kDeviceModelBytes);
  {
    const Result<Model> model = Open("one", "sim:0");
    ASSERT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
    EXPECT_EQ(model->info().tier, "device:0");
    EXPECT_EQ(model->info().device, "sim:0");
    EXPECT_FALSE(model->info().hit);
    const std::string bytes = ReadFile(path);
    ASSERT_EQ(model->file(0).bytes.size(), bytes.size());
    EXPECT_EQ(std::memcmp(model->file(0).bytes.data(), bytes.data(), bytes.size()), 0);
    const Result<Model> again = Open("one", "any");
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->info().hit);
    const Result<Model> on_host = Open("one", "");
    ASSERT_TRUE(on_host.ok());
    EXPECT_TRUE(on_host->info().hit) << "filled on the way";
    EXPECT_EQ(on_host->info().device, "");
  }
  const nlohmann::json tier = Tier("device:0");
  EXPECT_EQ(tier["device"], "sim:0");
  EXPECT_EQ(tier["used_bytes"], 6 << 20);
  EXPECT_EQ(tier["budget_bytes"], 53687091) << "80 % of it";
}

TEST_F(DeviceTest, TwoProcessesShareOneCopy) {
  Start({"--device", "sim:0,capacity=64MiB"});
  daemon_->AddFile("one", kDeviceModelBytes);
  const std::vector<std::string> command = {CLIENT_PROGRAM, "inode", daemon_->socket(), "one"};
  ChildProcess a = ChildProcess::Start(command, {"TEST_TIER=any"});
  ChildProcess b = ChildProcess::Start(command, {"TEST_TIER=any"});
  const std::string said_a = a.ReadAll();
  EXPECT_FALSE(said_a.empty());
  EXPECT_EQ(said_a, b.ReadAll());
}

TEST_F(DeviceTest, EachDeviceEvictsForItself) {
  Start({"--device", "sim:0,capacity=16MiB", "--device", "sim:1,capacity=16MiB", "--device-budget",
         "100%", "--eviction", "lru"});
  for (const char* name : {"a", "b", "c"}) {
    daemon_->AddFile(name, kDeviceModelBytes);
    ASSERT_TRUE(Open(name, "sim:0").ok());
    daemon_->GetSettledStatus();
  }
  ASSERT_TRUE(Open("a", "device:1").ok());
  daemon_->GetSettledStatus();
  EXPECT_TRUE(Open("b", "sim:0")->info().hit);
  EXPECT_TRUE(Open("c", "sim:0")->info().hit);
  EXPECT_EQ(Open("a", "any")->info().tier, "device:1");
  EXPECT_EQ(Tier("device:0")["used_bytes"], 12 << 20);
  EXPECT_EQ(Tier("host")["used_bytes"], 3 * ((5 << 20) + 4096));
}

TEST_F(DeviceTest, DemotedItIsInTheHostsMemoryAndNoLongerOnTheDevice) {
  Start({"--device", "sim:0,capacity=64MiB"});
  daemon_->AddFile("one", kDeviceModelBytes);
  const auto demote = [this](const std::string& tier) {
    return ConnectOperator().Demote("one", {.tier = tier}).status().code();
  };
  {
    const Result<Model> held = Open("one", "sim:0");
    EXPECT_EQ(demote("device:0"), StatusCode::kFailedPrecondition);
  }
  daemon_->GetSettledStatus();  // the device's copy may be there a moment before the host's
  ASSERT_TRUE(ConnectOperator().Evict("one").ok());
  EXPECT_EQ(Tier("host")["used_bytes"], 0);
  EXPECT_EQ(demote("device:0"), StatusCode::kOk);
  EXPECT_EQ(Tier("device:0")["used_bytes"], 0);
  EXPECT_TRUE(Open("one", "host")->info().hit);
  EXPECT_EQ(demote(""), StatusCode::kOk);
  EXPECT_EQ(Tier("host")["used_bytes"], 0);
  EXPECT_EQ(demote(""), StatusCode::kOk) << "there is nothing left to do";
}

class HostCopyDaemonTest : public DeviceTest {
 protected:
  // What the host has of a model that was opened on a device and is closed again; its bytes were right.
  uint64_t HostBytesAfterOpenOnDevice(const std::string& copy) {
    Start({"--device", "sim:0,capacity=64MiB", "--host-copy", copy});
    const std::string path = daemon_->AddFile("one", kDeviceModelBytes);
    {
      const Result<Model> model = Open("one", "sim:0");
      EXPECT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
      if (!model.ok()) return 0;
      const std::string bytes = ReadFile(path);
      EXPECT_EQ(std::memcmp(model->file(0).bytes.data(), bytes.data(), bytes.size()), 0);
    }
    EXPECT_EQ(Tier("device:0")["host_copy"], copy);
    EXPECT_EQ(Tier("host")["host_copy"], nullptr);
    EXPECT_EQ(Tier("device:0")["used_bytes"], 6 << 20);
    return Tier("host")["used_bytes"];
  }
};

TEST_F(HostCopyDaemonTest, Kept) {
  EXPECT_GT(HostBytesAfterOpenOnDevice("keep"), kDeviceModelBytes);
  EXPECT_TRUE(ConnectOperator().Evict("one").ok());
}

TEST_F(HostCopyDaemonTest, Dropped) {
  EXPECT_EQ(HostBytesAfterOpenOnDevice("drop"), 0u);
  const Result<Model> again = Open("one", "host");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->info().hit);
}

TEST_F(HostCopyDaemonTest, PinnedUntilTheDeviceHasLetGo) {
  EXPECT_GT(HostBytesAfterOpenOnDevice("pin"), kDeviceModelBytes);
  EXPECT_EQ(Tier("host")["pinned_bytes"], Tier("host")["used_bytes"]);
  EXPECT_EQ(ConnectOperator().Evict("one").status().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(ConnectOperator().Evict("one", {.tier = "device:0"}).ok());
  daemon_->GetSettledStatus();
  EXPECT_TRUE(ConnectOperator().Evict("one").ok());
  EXPECT_EQ(Tier("host")["used_bytes"], 0);
  EXPECT_EQ(Tier("device:0")["used_bytes"], 0);
}

TEST_F(DeviceTest, WhatDoesNotFitIsRefusedWithTheNumbers) {
  Start({"--device", "sim:0,capacity=16MiB", "--device-budget", "8MiB"});
  daemon_->AddFile("large", 2 * kDeviceModelBytes);
  daemon_->AddFile("one", kDeviceModelBytes);
  daemon_->AddFile("two", kDeviceModelBytes);
  Status status = Open("large", "sim:0").status();
  EXPECT_EQ(status.code(), StatusCode::kTooLarge);
  EXPECT_THAT(status.hint(), HasSubstr("--device-budget"));
  const Result<Model> one = Open("one", "sim:0");
  ASSERT_TRUE(one.ok());
  status = Open("two", "sim:0").status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("1 leases"));
}

TEST_F(DeviceTest, ADeviceThatIsNotThereIsNamedAmongThoseThatAre) {
  Start({"--device", "sim:1,capacity=16MiB"});
  daemon_->AddFile("one", kDeviceModelBytes);
  const Status status = Open("one", "cuda:0").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("there is host, device:0 (sim:1)"));
}

TEST_F(DeviceTest, AFailedCopyIsAnAnswerAndTheHostHasTheModel) {
  Start({"--device", "sim:0,capacity=64MiB", "--allow-fault-injection"},
        {"TRIMS_FAULT=device_copy:1:5"});
  daemon_->AddFile("one", kDeviceModelBytes);
  EXPECT_EQ(Open("one", "sim:0").status().code(), StatusCode::kInternal);
  daemon_->GetSettledStatus();
  EXPECT_EQ(Tier("device:0")["used_bytes"], 0);
  EXPECT_TRUE(Open("one", "host")->info().hit);
  daemon_->GetSettledStatus();
  EXPECT_TRUE(Open("one", "sim:0").ok()) << "once";
}

TEST_F(DeviceTest, OutOfMemoryOnceAnotherGoesAndTheLoadIsTriedAgain) {
  Start({"--device", "sim:0,capacity=64MiB", "--allow-fault-injection"},
        {"TRIMS_FAULT=device_allocate:2:12"});
  daemon_->AddFile("idle", kDeviceModelBytes);
  const std::string path = daemon_->AddFile("one", kDeviceModelBytes);
  ASSERT_TRUE(Open("idle", "sim:0").ok());
  daemon_->GetSettledStatus();
  {
    const Result<Model> one = Open("one", "sim:0");
    ASSERT_TRUE(one.ok()) << one.status().ToString() << daemon_->Log();
    const std::string bytes = ReadFile(path);
    EXPECT_EQ(std::memcmp(one->file(0).bytes.data(), bytes.data(), bytes.size()), 0);
  }
  EXPECT_EQ(Tier("device:0")["used_bytes"], 6 << 20) << "the idle one went";
  EXPECT_TRUE(Open("idle", "host")->info().hit);
}

TEST_F(DeviceTest, OutOfMemoryAlwaysIsAnErrorWithTheNumbersAndNothingIsLeft) {
  Start({"--device", "sim:0,capacity=64MiB", "--allow-fault-injection"},
        {"TRIMS_FAULT=device_copy:2:12:1000"});
  for (const char* name : {"idle", "one"}) {
    daemon_->AddFile(name, kDeviceModelBytes);
    ASSERT_TRUE(Open(name, "host").ok()) << "so that it is one copy to the device";
  }
  ASSERT_TRUE(Open("idle", "sim:0").ok());
  daemon_->GetSettledStatus();
  const Status status = Open("one", "sim:0").status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("1 models (6291456 bytes) went for it"));
  EXPECT_THAT(status.message(), HasSubstr("0 bytes of 53687091 bytes in use"));
  daemon_->GetSettledStatus();
  EXPECT_EQ(Tier("device:0")["used_bytes"], 0);
  EXPECT_EQ(Tier("device:0")["loading_bytes"], 0);
  EXPECT_TRUE(Open("one", "host")->info().hit);
  daemon_->GetSettledStatus();
  EXPECT_THAT(Open("one", "sim:0").status().message(), HasSubstr("nothing could go for it"));
}

class PeerDaemonTest : public DeviceTest {
 protected:
  // Loads that it took to have the model on a second device, with the first one's held and the host's dropped.
  int LoadsForASecondDevice(const std::string& second) {
    Start({"--device", "sim:0,capacity=64MiB", "--device", second, "--host-copy", "drop"});
    const std::string path = daemon_->AddFile("one", kDeviceModelBytes);
    EXPECT_TRUE(Open("one", "sim:0").ok());
    const int before = daemon_->GetSettledStatus()["counters"]["loads"];
    {
      const Result<Model> model = Open("one", "sim:1");
      EXPECT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
      if (!model.ok()) return -1;
      EXPECT_EQ(model->info().tier, "device:1");
      const std::string bytes = ReadFile(path);
      EXPECT_EQ(std::memcmp(model->file(0).bytes.data(), bytes.data(), bytes.size()), 0);
    }
    EXPECT_EQ(Tier("host")["used_bytes"], 0);
    const int loads = daemon_->GetSettledStatus()["counters"]["loads"];
    return loads - before;
  }
};

TEST_F(PeerDaemonTest, WhatADeviceHasComesFromThereToAnother) {
  EXPECT_EQ(LoadsForASecondDevice("sim:1,capacity=64MiB"), 1);
}

TEST_F(PeerDaemonTest, WithoutAWayBetweenThemItComesByTheHost) {
  EXPECT_EQ(LoadsForASecondDevice("sim:1,capacity=64MiB,peer=none"), 2);
  EXPECT_THAT(daemon_->Log(), HasSubstr("segment.not_from_peer"));
}

TEST_F(PeerDaemonTest, ExplainSaysThatItComesFromThePeer) {
  Start({"--device", "sim:0,capacity=64MiB", "--device", "sim:1,capacity=64MiB", "--host-copy",
         "drop"});
  daemon_->AddFile("one", kDeviceModelBytes);
  ASSERT_TRUE(Open("one", "sim:0").ok());
  daemon_->GetSettledStatus();
  const nlohmann::json open =
      nlohmann::json::parse(ConnectOperator().Explain("one", {.tier = "sim:1"}).value());
  EXPECT_EQ(open["served_from"], "device:0");
  EXPECT_EQ(open["moves_bytes"], kDeviceModelBytes);
}

TEST_F(DeviceTest, ALostDeviceLeavesTheHost) {
  Start({"--device", "sim:0,capacity=64MiB", "--allow-fault-injection"},
        {"TRIMS_FAULT=device_export:2:19"});
  daemon_->AddFile("one", kDeviceModelBytes);
  daemon_->AddFile("two", kDeviceModelBytes);
  const Result<Model> held = Open("one", "sim:0");
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(Open("two", "sim:0").status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Open("two", "host").ok());
}

TEST_F(DeviceTest, WhatAKilledFunctionHeldIsFreeAgain) {
  Start({"--device", "sim:0,capacity=16MiB", "--device-budget", "8MiB"});
  daemon_->AddFile("one", kDeviceModelBytes);
  daemon_->AddFile("two", kDeviceModelBytes);
  ChildProcess holder =
      ChildProcess::Start({CLIENT_PROGRAM, "hold", daemon_->socket(), "one"}, {"TEST_TIER=sim:0"});
  ASSERT_TRUE(holder.ReadByte());
  EXPECT_EQ(Open("two", "sim:0").status().code(), StatusCode::kResourceExhausted);
  holder.Signal(SIGKILL);
  holder.Wait();
  daemon_->GetSettledStatus();
  EXPECT_TRUE(Open("two", "sim:0").ok());
}

TEST_F(DeviceTest, AKilledDeviceProcessIsStartedAnewAndTakesNothingElseAlong) {
  Start({"--device", "sim:0,capacity=64MiB"});
  daemon_->AddFile("one", kDeviceModelBytes);
  const std::string path = daemon_->AddFile("two", kDeviceModelBytes);
  const Result<Model> one = Open("one", "sim:0");
  ASSERT_TRUE(one.ok());
  const std::vector<pid_t> before = ChildrenOf(daemon_->process().pid(), "trims-device");
  ASSERT_EQ(before.size(), 1u);
  ASSERT_TRUE(KillAndAwaitEnd(before.front()));
  const Result<Model> two = Open("two", "sim:0");
  ASSERT_TRUE(two.ok()) << two.status().ToString() << daemon_->Log();
  const std::string bytes = ReadFile(path);
  EXPECT_EQ(std::memcmp(two->file(0).bytes.data(), bytes.data(), bytes.size()), 0);
  EXPECT_TRUE(Open("one", "sim:0")->info().hit) << "a simulated device's memory stays";
  EXPECT_NE(ChildrenOf(daemon_->process().pid(), "trims-device"), before);
}

// The stand-in for a driver, in the daemon's child and in the function: no hardware.
TEST_F(DeviceTest, OnACudaDeviceTheAddressesAreTheDevicesAndTheBytesTheModels) {
  const CudaStandin standin;
  standin.Set("STANDIN_DEVICES", "1");
  Start({"--device", "cuda:0,driver=" + CudaStandin::Path()});
  const std::string path = daemon_->AddFile("one", kDeviceModelBytes);
  Status status = Open("one", "cuda:0").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound) << "this process has no driver";
  EXPECT_THAT(status.hint(), HasSubstr("mount the driver"));
  ::setenv("TRIMS_CUDA_LIBRARY", CUDA_STANDIN, 1);
  {
    const Result<Model> model = Open("one", "any");
    ASSERT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
    EXPECT_EQ(model->info().device, "cuda:0");
    EXPECT_EQ(model->info().memory, HandleKind::kCudaDevice);
    const std::string bytes = ReadFile(path);
    ASSERT_EQ(model->file(0).bytes.size(), bytes.size());
    EXPECT_EQ(std::memcmp(model->file(0).bytes.data(), bytes.data(), bytes.size()), 0)
        << "which a processor can read on a stand-in alone";
    EXPECT_EQ(model->file(0).fd, -1);
    EXPECT_GT(standin.Live(), 0);
  }
  EXPECT_EQ(standin.Live(), 0);
  standin.Set("STANDIN_FIRST", "9");
  status = Open("one", "cuda:0").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound) << "it is hidden from this process";
  EXPECT_THAT(status.hint(), HasSubstr("CUDA_VISIBLE_DEVICES"));
  ::unsetenv("TRIMS_CUDA_LIBRARY");
}

// Several extents in the one allocation; the second open is of the same handle.
TEST_F(DeviceTest, ByLegacyCudaIpcTheBytesAreTheModelsToo) {
  const CudaStandin standin;
  Start({"--device", "cuda:0,export=ipc,driver=" + CudaStandin::Path()});
  ::setenv("TRIMS_CUDA_LIBRARY", CUDA_STANDIN, 1);
  const std::string folder = folder_.path() + "/parts";
  std::filesystem::create_directory(folder);
  for (const char* name : {"one", "two"}) {
    std::filesystem::rename(daemon_->AddFile(name, kDeviceModelBytes), folder + "/" + name);
  }
  std::ofstream(folder + "/small") << "small";
  Admin admin = ConnectOperator();
  const Result<std::string> added =
      admin.Add("parts", "file://" + folder, {.variants = {Variant::kFiles}, .on_progress = {}});
  ASSERT_TRUE(added.ok()) << added.status().ToString();
  const int live = standin.Live();
  for (const char* tier :
       {"host", "cuda:0"}) {  // the second from what is resident, which is sealed
    const Result<Model> model = Open("parts", tier);
    const Result<Model> again = Open("parts", tier);
    ASSERT_TRUE(model.ok() && again.ok()) << model.status().ToString() << daemon_->Log();
    EXPECT_EQ(model->extent_count(), 3u);
    for (size_t i = 0; i < model->file_count(); ++i) {
      const FileView file = model->file(i);
      const std::string bytes = ReadFile(folder + "/" + std::string(file.name));
      ASSERT_EQ(file.bytes.size(), bytes.size()) << file.name;
      EXPECT_EQ(std::memcmp(file.bytes.data(), bytes.data(), bytes.size()), 0) << file.name;
    }
    if (tier == std::string("host")) continue;
    EXPECT_EQ(model->info().memory, HandleKind::kCudaDevice) << "for whoever reads it";
    EXPECT_EQ(model->extent_fd(0), -1) << "a handle is nothing to import";
    EXPECT_EQ(model->bytes().data(), again->bytes().data());
    EXPECT_GT(standin.Live(), live);
  }
  EXPECT_EQ(standin.Live(), live);
  EXPECT_THAT(daemon_->Log(), HasSubstr("device.shared_writable"));
  ::unsetenv("TRIMS_CUDA_LIBRARY");
}

TEST_F(DeviceTest, ACudaDeviceWithoutADriverIsSaidAtStart) {
  DaemonProcess daemon(folder_.path(), {"--device", "cuda:0,driver=/nowhere/libcuda.so.1"});
  EXPECT_FALSE(daemon.ready());
  EXPECT_EQ(daemon.process().Wait(), 1);
  EXPECT_THAT(daemon.Log(), HasSubstr("there is no CUDA driver here"));
}

TEST_F(DeviceTest, TwoOfOneNameAreRefusedAtStart) {
  DaemonProcess daemon(folder_.path(), {"--device", "sim:0", "--device", "sim:0"});
  EXPECT_FALSE(daemon.ready());
  EXPECT_EQ(daemon.process().Wait(), 1);
  EXPECT_THAT(daemon.Log(), HasSubstr("--device sim:0 is there twice"));
}

}  // namespace
}  // namespace trims::test
