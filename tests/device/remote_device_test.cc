#include "device/remote_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/macros.h"
#include "base/mapping.h"
#include "store/host_memory.h"
#include "support/children.h"
#include "support/held_resources.h"
#include "support/scratch_folder.h"
#include "support/some_bytes.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kRemoteBytes = 5'000'000;
constexpr char kSpec[] = "sim:0,capacity=16MiB";

class RemoteDeviceTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Device>> Start(const std::vector<std::string>& arguments = {kSpec}) {
    RemoteDeviceOptions options{.command = {TRIMS_DEVICE_PROGRAM}};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return StartRemoteDevice(options);
  }
  // All steps of a fill.
  Result<UniqueFd> Fill(Device* device) {
    const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kRemoteBytes)).value();
    TRIMS_ASSIGN_OR_RETURN(const auto from, device->Attach(extent.read_only_fd(), kRemoteBytes));
    TRIMS_ASSIGN_OR_RETURN(const auto memory, device->Allocate("model", kRemoteBytes));
    TRIMS_RETURN_IF_ERROR(memory->CopyIn(*from, 0, kRemoteBytes));
    return memory->Export();
  }
  bool HasBytes(const UniqueFd& fd) const {
    const Result<Mapping> mapping = Mapping::OfFile(fd.get(), kRemoteBytes, PROT_READ);
    return mapping.ok() &&
           std::memcmp(mapping->data(), test::SomeBytes(kRemoteBytes).data(), kRemoteBytes) == 0;
  }
  static std::vector<pid_t> Processes() { return test::ChildrenOf(::getpid(), "trims-device"); }
};

TEST_F(RemoteDeviceTest, WhereFromAndWhereToBothArrive) {
  const auto device = Start();
  const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kRemoteBytes)).value();
  const auto from = (*device)->Attach(extent.read_only_fd(), kRemoteBytes);
  const auto memory = (*device)->Allocate("piece", 3000);
  ASSERT_TRUE((*memory)->CopySpanIn(**from, {.from = 5000, .to = 0, .length = 1000}).ok());
  ASSERT_TRUE((*memory)->CopySpanIn(**from, {.from = 0, .to = 1000, .length = 2000}).ok());
  const UniqueFd shared = (*memory)->Export().value();
  const Result<Mapping> mapping = Mapping::OfFile(shared.get(), 3000, PROT_READ);
  ASSERT_TRUE(mapping.ok());
  const auto bytes = test::SomeBytes(kRemoteBytes);
  EXPECT_EQ(std::memcmp(mapping->data(), bytes.data() + 5000, 1000), 0);
  EXPECT_EQ(std::memcmp(mapping->data() + 1000, bytes.data(), 2000), 0);
}

TEST_F(RemoteDeviceTest, DoesInItsProcessWhatADeviceDoes) {
  const size_t fds = test::HeldFds();
  {
    const auto device = Start();
    ASSERT_TRUE(device.ok()) << device.status().ToString();
    EXPECT_EQ((*device)->info().name, "sim:0");
    EXPECT_EQ((*device)->info().capacity, uint64_t{16} << 20);
    EXPECT_EQ((*device)->info().memory, HandleKind::kSimulatedDevice);
    const Result<UniqueFd> shared = Fill(device->get());
    ASSERT_TRUE(shared.ok()) << shared.status().ToString();
    EXPECT_TRUE(HasBytes(*shared));
    EXPECT_EQ((*device)->Allocate("large", uint64_t{17} << 20).status().code(),
              StatusCode::kResourceExhausted);
    EXPECT_EQ(Processes().size(), 1u);
  }
  EXPECT_EQ(Processes().size(), 0u);
  EXPECT_EQ(test::HeldFds(), fds);
}

TEST_F(RemoteDeviceTest, FromAPeersProcessToAnother) {
  const auto device = Start();
  const auto peer = Start({"sim:1,capacity=16MiB,link=1GB,peer=2GB"});
  ASSERT_TRUE(device.ok() && peer.ok());
  EXPECT_FALSE((*device)->info().peers_first);
  EXPECT_TRUE((*peer)->info().peers_first);
  const UniqueFd shared = Fill(device->get()).value();
  const auto from = (*peer)->AttachPeer(shared.get(), kRemoteBytes, (*device)->info().uuid);
  ASSERT_TRUE(from.ok()) << from.status().ToString();
  const auto memory = (*peer)->Allocate("model", kRemoteBytes);
  ASSERT_TRUE((*memory)->CopyIn(**from, 0, kRemoteBytes).ok());
  EXPECT_TRUE(HasBytes((*memory)->Export().value()));
  EXPECT_EQ((*peer)->AttachPeer(shared.get(), kRemoteBytes, "another kind's").status().code(),
            StatusCode::kUnimplemented);
}

TEST_F(RemoteDeviceTest, WhatIsFreedIsFree) {
  const auto device = Start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE((*device)->Allocate("all of it", uint64_t{16} << 20).ok());
  }
}

TEST_F(RemoteDeviceTest, AKilledProcessIsStartedAnew) {
  const auto device = Start();
  const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kRemoteBytes)).value();
  const auto from = (*device)->Attach(extent.read_only_fd(), kRemoteBytes);
  const auto memory = (*device)->Allocate("model", kRemoteBytes);
  const Result<UniqueFd> shared = Fill(device->get());
  const std::vector<pid_t> before = Processes();
  ASSERT_EQ(before.size(), 1u);
  ASSERT_EQ(::kill(before.front(), SIGKILL), 0);
  EXPECT_EQ((*memory)->CopyIn(**from, 0, 1).code(), StatusCode::kUnavailable);
  EXPECT_TRUE(HasBytes(*shared)) << "what was shared is still there";
  const Result<UniqueFd> again = Fill(device->get());
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_TRUE(HasBytes(*again));
  EXPECT_EQ((*memory)->Export().status().code(), StatusCode::kUnavailable)
      << "of the process before";
  EXPECT_NE(Processes(), before);
}

TEST_F(RemoteDeviceTest, AnotherDeviceUnderTheSameNumberIsNotTakenForIt) {
  const test::ScratchFolder folder;
  const std::string program = folder / "trims-device";
  // The first has one device, the next another.
  std::ofstream(program) << "#!/bin/sh\nif [ -e " << folder.path() << "/been ]; then exec "
                         << TRIMS_DEVICE_PROGRAM << " sim:7; fi\ntouch " << folder.path()
                         << "/been\nexec " << TRIMS_DEVICE_PROGRAM << " sim:0\n";
  ASSERT_EQ(::chmod(program.c_str(), 0700), 0);
  const auto device = StartRemoteDevice({.command = {program}});
  ASSERT_TRUE(device.ok()) << device.status().ToString();
  for (const pid_t pid : Processes()) ASSERT_TRUE(test::KillAndAwaitEnd(pid));
  const Status status = Fill(device->get()).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("sim:0 is another device now"));
}

TEST_F(RemoteDeviceTest, OneThatHangsIsKilledAndStartedAnew) {
  const test::ScratchFolder folder;
  const std::string fifo = folder / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto device = StartRemoteDevice(
      {.command = {TRIMS_DEVICE_PROGRAM, kSpec, "device_copy:1:hold=" + fifo + ":1000"},
       .patience = std::chrono::seconds(10)});
  ASSERT_TRUE(device.ok()) << device.status().ToString();
  const Status status = Fill(device->get()).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("no answer within 10000 ms"));
  EXPECT_EQ(Processes().size(), 0u);
  ASSERT_EQ(::unlink(fifo.c_str()), 0);
  EXPECT_TRUE(Fill(device->get()).ok());
}

TEST_F(RemoteDeviceTest, AnErrorOfTheDevicesIsItsOwn) {
  const auto device = Start({kSpec, "device_copy:1:12"});
  const Status status = Fill(device->get()).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("out of memory while copying"));
  EXPECT_TRUE(Fill(device->get()).ok());
}

TEST_F(RemoteDeviceTest, AProgramThatEndsAtOnceOrIsNoneIsAnError) {
  EXPECT_EQ(Start({"moon:0"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Start({kSpec, "no plan"}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Start({"cuda:0,driver=/nowhere/libcuda.so.1"}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(StartRemoteDevice({.command = {"/nowhere/trims-device", kSpec}}).status().code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace trims
