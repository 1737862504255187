// Memory that is shared by legacy CUDA IPC; that by descriptors is in cuda_device_test.cc.
#include "device/cuda_device_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/seals.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_ipc.h"
#include "device/cuda_device.h"
#include "device/remote_device.h"
#include "store/host_memory.h"
#include "support/children.h"
#include "support/cuda_failures.h"
#include "support/cuda_standin.h"
#include "support/some_bytes.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kIpcBytes = 5'000'000;
constexpr uint64_t kSecondAt = uint64_t{6} << 20;

class CudaIpcMemoryTest : public ::testing::Test {
 protected:
  static Result<std::unique_ptr<Device>> Make(CudaExport way = CudaExport::kIpc) {
    return MakeCudaDevice({.driver = test::CudaStandin::Path(), .way = way});
  }
  // In a process of its own, as it is used: nobody opens handles of their own.
  static std::unique_ptr<Device> Start() {
    return StartRemoteDevice({.command = {TRIMS_DEVICE_PROGRAM,
                                          "cuda:0,export=ipc,driver=" + test::CudaStandin::Path()}})
        .value();
  }
  // The same bytes twice, in one allocation.
  static Result<std::unique_ptr<DeviceMemory>> Fill(Device* device) {
    const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kIpcBytes)).value();
    TRIMS_ASSIGN_OR_RETURN(const auto from, device->Attach(extent.read_only_fd(), kIpcBytes));
    TRIMS_ASSIGN_OR_RETURN(auto memory, device->Allocate("model", kSecondAt + kIpcBytes));
    TRIMS_RETURN_IF_ERROR(memory->CopyIn(*from, 0, kIpcBytes));
    TRIMS_RETURN_IF_ERROR(
        memory->CopySpanIn(*from, {.from = 0, .to = kSecondAt, .length = kIpcBytes}));
    return memory;
  }
  static Result<UniqueFd> FillAndShare() {
    TRIMS_ASSIGN_OR_RETURN(const auto device, Make());
    TRIMS_ASSIGN_OR_RETURN(const auto memory, Fill(device.get()));
    return memory->Export();
  }

  const test::CudaStandin standin_;
  const cuda::Api* const api_ = cuda::LoadDriver(standin_.Path()).value();
};

TEST_F(CudaIpcMemoryTest, WhatIsSharedIsAHandleInASealedMemfdOnce) {
  const int live = standin_.Live();
  {
    const auto device = Make();
    ASSERT_TRUE(device.ok()) << device.status().ToString();
    EXPECT_EQ((*device)->info().memory, HandleKind::kCudaIpc);
    EXPECT_EQ((*device)->info().granularity, uint64_t{2} << 20);
    EXPECT_TRUE((*device)->info().in_one_piece());
    const auto memory = Fill(device->get()).value();
    EXPECT_EQ(memory->length(), kSecondAt + kIpcBytes);
    const UniqueFd fd = memory->Export().value();
    EXPECT_TRUE(CheckSealed(fd.get()).ok());
    EXPECT_TRUE(cuda::ReadIpcHandle(fd.get()).ok());
    EXPECT_EQ(memory->Export().status().code(), StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(standin_.Live(), live);
}

TEST_F(CudaIpcMemoryTest, EachCallThatFailsIsTypedAndLeavesNothing) {
  test::ExpectEachFailureIsTyped(standin_,
                                 {"cuMemAlloc", "cuIpcGetMemHandle", "cuDeviceTotalMem",
                                  "cuDeviceGetUuid", "cuMemcpyHtoDAsync", "cuStreamSynchronize"},
                                 [&] { return FillAndShare().status(); });
}

TEST_F(CudaIpcMemoryTest, AnotherProcessOpensItTwiceAtOnePlaceAndCanWriteIt) {
  const auto device = Start();
  const auto memory = Fill(device.get()).value();
  const UniqueFd fd = memory->Export().value();
  const cuda::Context context = cuda::Context::OfOrdinal(api_, 0).value();
  const cuda::Current current(context);
  const int live = standin_.Live();
  {
    const cuda::IpcMemHandle handle = cuda::ReadIpcHandle(fd.get()).value();
    const cuda::IpcMapping mapping = cuda::IpcMapping::Open(context, handle).value();
    EXPECT_EQ(cuda::IpcMapping::Open(context, handle)->pointer(), mapping.pointer());
    auto* const bytes = reinterpret_cast<std::byte*>(mapping.pointer());
    for (const uint64_t at : {uint64_t{0}, kSecondAt}) {
      EXPECT_EQ(std::memcmp(bytes + at, test::SomeBytes(kIpcBytes).data(), kIpcBytes), 0) << at;
    }
    bytes[0] = std::byte{1};  // what docs/security.md says of it
  }
  EXPECT_EQ(standin_.Live(), live);
}

TEST_F(CudaIpcMemoryTest, ItIsGoneWithItsProcess) {
  const auto device = Start();
  const auto memory = Fill(device.get()).value();
  const UniqueFd fd = memory->Export().value();
  const std::vector<pid_t> processes = test::ChildrenOf(::getpid(), "trims-device");
  ASSERT_EQ(processes.size(), 1u);
  ASSERT_TRUE(test::KillAndAwaitEnd(processes.front()));
  const cuda::Context context = cuda::Context::OfOrdinal(api_, 0).value();
  const cuda::Current current(context);
  const cuda::IpcMemHandle handle = cuda::ReadIpcHandle(fd.get()).value();
  EXPECT_FALSE(cuda::IpcMapping::Open(context, handle).ok());
}

TEST_F(CudaIpcMemoryTest, OneWithoutVirtualMemoryIsRefusedUnlessAnOperatorWantsThis) {
  standin_.Set("STANDIN_CANT_SHARE", "1");
  const Status status = Make(CudaExport::kVirtualMemory).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.hint(), HasSubstr("--device cuda:0,export=ipc"));
  EXPECT_TRUE(FillAndShare().ok());
}

TEST_F(CudaIpcMemoryTest, OneThatCannotShareByHandlesIsRefused) {
  standin_.Set("STANDIN_CANT_IPC", "1");
  const int live = standin_.Live();
  const Status status = Make().status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("CUDA_ERROR_NOT_SUPPORTED"));
  EXPECT_EQ(standin_.Live(), live);
}

TEST_F(CudaIpcMemoryTest, NothingComesFromPeers) {
  const auto device = Make().value();
  EXPECT_EQ(device->AttachPeer(0, 64, device->info().uuid).status().code(),
            StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace trims
