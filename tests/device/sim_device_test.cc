#include "device/sim_device.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/mapping.h"
#include "store/host_memory.h"
#include "support/held_resources.h"
#include "support/some_bytes.h"

namespace trims {
namespace {

constexpr uint64_t kGranularity = uint64_t{2} << 20;
constexpr uint64_t kCapacity = 8 * kGranularity;
constexpr uint64_t kSimBytes = 3'000'000;  // two granules

class SimDeviceTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<DeviceMemory>> Allocate(uint64_t bytes = kSimBytes) {
    return device_->Allocate("model", bytes);
  }
  Result<std::unique_ptr<CopySource>> AttachContent() {
    const SealedExtent extent = SealedCopy("content", test::SomeBytes(kSimBytes)).value();
    return device_->Attach(extent.read_only_fd(), extent.length());
  }

  std::unique_ptr<Device> device_ = MakeSimDevice({.number = 2, .capacity = kCapacity}).value();
};

TEST_F(SimDeviceTest, WhatWasCopiedInIsWhatIsSharedAndNobodyWritesIt) {
  const auto from = AttachContent();
  ASSERT_TRUE(from.ok()) << "the descriptor is closed by now";
  const auto memory = Allocate();
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ((*memory)->length(), kSimBytes);
  ASSERT_TRUE((*memory)->CopyIn(**from, 0, 1'000'000).ok());
  ASSERT_TRUE((*memory)->CopyIn(**from, 1'000'000, kSimBytes - 1'000'000).ok());
  const Result<UniqueFd> shared = (*memory)->Export();
  ASSERT_TRUE(shared.ok()) << shared.status().ToString();
  const Result<Mapping> mapping = Mapping::OfFile(shared->get(), kSimBytes, PROT_READ);
  ASSERT_TRUE(mapping.ok());
  EXPECT_EQ(std::memcmp(mapping->data(), test::SomeBytes(kSimBytes).data(), kSimBytes), 0);
  EXPECT_FALSE(Mapping::OfFile(shared->get(), kSimBytes, PROT_READ | PROT_WRITE).ok());
  EXPECT_EQ(::fcntl(shared->get(), F_GET_SEALS) & F_SEAL_WRITE, F_SEAL_WRITE);
}

TEST_F(SimDeviceTest, BytesOfOnePlaceCanGoToAnother) {
  const auto from = AttachContent();
  const auto memory = device_->Allocate("piece", 3000);
  ASSERT_TRUE((*memory)->CopySpanIn(**from, {.from = 5000, .to = 0, .length = 1000}).ok());
  ASSERT_TRUE((*memory)->CopySpanIn(**from, {.from = 0, .to = 1000, .length = 2000}).ok());
  for (const CopySpan& beyond :
       {CopySpan{.from = 0, .to = 2001, .length = 1000}, CopySpan{.from = kSimBytes, .length = 1},
        CopySpan{.from = 0, .to = UINT64_MAX, .length = 2},
        CopySpan{.from = UINT64_MAX, .to = 0, .length = 2}}) {
    EXPECT_EQ((*memory)->CopySpanIn(**from, beyond).code(), StatusCode::kInvalidArgument);
  }
  const UniqueFd shared = (*memory)->Export().value();
  const Result<Mapping> mapping = Mapping::OfFile(shared.get(), 3000, PROT_READ);
  ASSERT_TRUE(mapping.ok());
  const auto bytes = test::SomeBytes(kSimBytes);
  EXPECT_EQ(std::memcmp(mapping->data(), bytes.data() + 5000, 1000), 0);
  EXPECT_EQ(std::memcmp(mapping->data() + 1000, bytes.data(), 2000), 0);
}

// The wire carries 60 MB in a second: what is shared was on it for that long.
TEST_F(SimDeviceTest, WhatIsSharedHasArrived) {
  const auto device =
      MakeSimDevice({.number = 0, .capacity = kCapacity, .link = {.bytes_per_second = 60'000'000}});
  ASSERT_TRUE(device.ok());
  const SealedExtent extent = SealedCopy("content", test::SomeBytes(kSimBytes)).value();
  const auto from = (*device)->Attach(extent.read_only_fd(), kSimBytes);
  const auto memory = (*device)->Allocate("model", kSimBytes);
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE((*memory)->CopyIn(**from, 0, kSimBytes / 2).ok());
  ASSERT_TRUE((*memory)->CopyIn(**from, kSimBytes / 2, kSimBytes / 2).ok());
  ASSERT_TRUE((*memory)->Export().ok());
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(50));
}

// Its own wire from peers carries 60 MB in a second, the one from the host as much as it may.
TEST_F(SimDeviceTest, APeersBytesComeOnTheWireForPeers) {
  const auto device = MakeSimDevice({.number = 0,
                                     .capacity = kCapacity,
                                     .peers = SimDeviceOptions::Peers::kByOwnLink,
                                     .peer_bytes_per_second = 60'000'000})
                          .value();
  const auto from_host = AttachContent();
  const auto memory = Allocate();
  ASSERT_TRUE((*memory)->CopyIn(**from_host, 0, kSimBytes).ok());
  const UniqueFd exported = (*memory)->Export().value();
  const auto begin = std::chrono::steady_clock::now();
  const auto peer = device->AttachPeer(exported.get(), kSimBytes, device_->info().uuid);
  ASSERT_TRUE(peer.ok()) << peer.status().ToString();
  const auto copy = device->Allocate("copy", kSimBytes);
  ASSERT_TRUE((*copy)->CopyIn(**peer, 0, kSimBytes).ok());
  const UniqueFd shared = (*copy)->Export().value();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(49));
  const Result<Mapping> mapping = Mapping::OfFile(shared.get(), kSimBytes, PROT_READ);
  ASSERT_TRUE(mapping.ok());
  EXPECT_EQ(std::memcmp(mapping->data(), test::SomeBytes(kSimBytes).data(), kSimBytes), 0);
  EXPECT_EQ((*copy)->CopyIn(**peer, 0, 1).code(), StatusCode::kFailedPrecondition);
}

TEST_F(SimDeviceTest, WithoutAWayFromPeersItSaysSo) {
  const auto alone =
      MakeSimDevice({.capacity = kCapacity, .peers = SimDeviceOptions::Peers::kNone}).value();
  const SealedExtent extent = SealedCopy("content", test::SomeBytes(kSimBytes)).value();
  const Status status =
      alone->AttachPeer(extent.read_only_fd(), kSimBytes, device_->info().uuid).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(device_->AttachPeer(extent.read_only_fd(), kSimBytes, "a GPU's").status().code(),
            StatusCode::kUnimplemented);
}

TEST_F(SimDeviceTest, PeersComeFirstWhereTheirWireIsQuicker) {
  const auto first = [](uint64_t link, uint64_t peer, SimDeviceOptions::Peers peers) {
    return MakeSimDevice({.capacity = kCapacity,
                          .link = {.bytes_per_second = link},
                          .peers = peers,
                          .peer_bytes_per_second = peer})
        .value()
        ->info()
        .peers_first;
  };
  using Peers = SimDeviceOptions::Peers;
  EXPECT_TRUE(first(10, 11, Peers::kByOwnLink));
  EXPECT_TRUE(first(10, 0, Peers::kByOwnLink)) << "no limit";
  EXPECT_FALSE(first(10, 10, Peers::kByOwnLink));
  EXPECT_FALSE(first(0, 11, Peers::kByOwnLink));
  EXPECT_FALSE(first(10, 0, Peers::kByHostLink));
}

TEST_F(SimDeviceTest, BytesGoWhereTheyAreWanted) {
  const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kSimBytes)).value();
  const auto from = device_->Attach(extent.read_only_fd(), kSimBytes).value();
  const auto memory = device_->Allocate("model", kSimBytes).value();
  ASSERT_TRUE(memory->CopySpanIn(*from, {.from = 1000, .to = 5000, .length = 2000}).ok());
  EXPECT_EQ(memory->CopySpanIn(*from, {.from = 0, .to = kSimBytes - 1, .length = 2}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(memory->CopySpanIn(*from, {.from = kSimBytes - 1, .to = 0, .length = 2}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(memory->CopySpanIn(*from, {.from = 0, .to = UINT64_MAX, .length = 2}).code(),
            StatusCode::kInvalidArgument);
  const UniqueFd shared = memory->Export().value();
  const Mapping mapping = Mapping::OfFile(shared.get(), kSimBytes, PROT_READ).value();
  EXPECT_EQ(std::memcmp(mapping.data() + 5000, test::SomeBytes(kSimBytes).data() + 1000, 2000), 0);
}

TEST_F(SimDeviceTest, AfterItIsSharedNothingIsCopiedIn) {
  const auto from = AttachContent();
  const auto memory = Allocate();
  ASSERT_TRUE((*memory)->Export().ok());
  EXPECT_EQ((*memory)->CopyIn(**from, 0, 1).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ((*memory)->Export().status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(SimDeviceTest, OnlyWhatIsInBothIsCopied) {
  const auto from = AttachContent();
  const auto shorter = Allocate(1000);
  EXPECT_EQ((*shorter)->CopyIn(**from, 0, 1001).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ((*shorter)->CopyIn(**from, UINT64_MAX, 2).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE((*shorter)->CopyIn(**from, 1000, 0).ok());
  const auto longer = Allocate(2 * kSimBytes);
  EXPECT_EQ((*longer)->CopyIn(**from, kSimBytes, 1).code(), StatusCode::kInvalidArgument);
}

TEST_F(SimDeviceTest, ItsCapacityIsInGranulesAndComesBack) {
  {
    const auto first = Allocate(kCapacity - kGranularity + 1);
    ASSERT_TRUE(first.ok()) << first.status().ToString();
    const Status status = Allocate(1).status();
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(status.message(), ::testing::HasSubstr("0 of its 16777216 bytes left"));
  }
  EXPECT_TRUE(Allocate(kCapacity).ok());
}

TEST_F(SimDeviceTest, ItsCapacityComesBackOfWhatWasShared) {
  auto memory = Allocate(kCapacity);
  const UniqueFd shared = (*memory)->Export().value();
  EXPECT_FALSE(Allocate(1).ok());
  memory->reset();
  EXPECT_TRUE(Allocate(1).ok());
}

TEST_F(SimDeviceTest, NothingIsNoAllocation) {
  EXPECT_EQ(Allocate(0).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(Allocate(kCapacity).ok()) << "and takes nothing";
}

TEST_F(SimDeviceTest, EachCallThatFailsSaysWhatAndLeavesNothing) {
  const size_t fds = test::HeldFds();
  for (const fault::Op op :
       {fault::Op::kDeviceAllocate, fault::Op::kDeviceCopy, fault::Op::kDeviceExport}) {
    for (const auto& [error, code] : {std::pair(ENOMEM, StatusCode::kResourceExhausted),
                                      std::pair(EIO, StatusCode::kInternal)}) {
      const fault::ScopedPlan plan({.op = op, .nth = 1, .error = error});
      const auto run = [this]() -> Status {
        auto from = AttachContent();
        auto memory = Allocate();
        if (!memory.ok()) return memory.status();
        if (Status status = (*memory)->CopyIn(**from, 0, kSimBytes); !status.ok()) return status;
        return (*memory)->Export().status();
      };
      EXPECT_EQ(run().code(), code) << fault::OpName(op) << " " << error;
      EXPECT_TRUE(plan.fired());
    }
  }
  EXPECT_EQ(test::HeldFds(), fds);
  EXPECT_TRUE(Allocate(kCapacity).ok());
}

TEST_F(SimDeviceTest, ALostDeviceDoesNothingMore) {
  const auto from = AttachContent();
  auto memory = Allocate();
  {
    const fault::ScopedPlan plan({.op = fault::Op::kDeviceCopy, .nth = 1, .error = ENODEV});
    EXPECT_EQ((*memory)->CopyIn(**from, 0, 1).code(), StatusCode::kUnavailable);
  }
  EXPECT_EQ((*memory)->CopyIn(**from, 0, 1).code(), StatusCode::kUnavailable);
  EXPECT_EQ((*memory)->Export().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Allocate().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(AttachContent().status().code(), StatusCode::kUnavailable);
  memory->reset();
}

}  // namespace
}  // namespace trims
