#include "cuda/cuda_ipc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "base/unique_fd.h"
#include "cuda/cuda_driver.h"
#include "store/host_memory.h"
#include "support/cuda_standin.h"
#include "support/some_bytes.h"

namespace trims::cuda {
namespace {

class CudaIpcTest : public ::testing::Test {
 protected:
  static UniqueFd Sealed(size_t bytes) {
    return SealedCopy("handle", test::SomeBytes(bytes)).value().TakeFd();
  }

  const test::CudaStandin standin_;
  const Api* const api_ = LoadDriver(standin_.Path()).value();
  const Context context_ = Context::OfOrdinal(api_, 0).value();
  const Current current_{context_};
};

TEST_F(CudaIpcTest, AHandleIsWhatASealedMemfdOfItsSizeHolds) {
  const IpcMemHandle handle = ReadIpcHandle(Sealed(64).get()).value();
  EXPECT_EQ(std::memcmp(handle.reserved, test::SomeBytes(64).data(), 64), 0);
}

TEST_F(CudaIpcTest, WhatIsNoHandleIsRefused) {
  for (const size_t bytes : {size_t{1}, size_t{63}, size_t{65}, size_t{4096}}) {
    EXPECT_EQ(ReadIpcHandle(Sealed(bytes).get()).status().code(), StatusCode::kInvalidArgument);
  }
  const UniqueFd open(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(open.get(), 64), 0);
  EXPECT_EQ(ReadIpcHandle(open.get()).status().code(), StatusCode::kInvalidArgument)
      << "it may change";
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd read(ends[0]);
  const UniqueFd write(ends[1]);
  EXPECT_EQ(ReadIpcHandle(read.get()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(ReadIpcHandle(-1).ok());
}

TEST_F(CudaIpcTest, AllocationsAreWholeBlocksAndComeBack) {
  const int live = standin_.Live();
  {
    const IpcAllocation one = IpcAllocation::Create(context_, 1).value();
    EXPECT_EQ(IpcAllocation::Create(context_, (size_t{62} << 20) + 1).status().code(),
              StatusCode::kResourceExhausted);
    EXPECT_TRUE(IpcAllocation::Create(context_, size_t{62} << 20).ok());
    EXPECT_EQ(standin_.Live(), live + 1);
  }
  EXPECT_EQ(standin_.Live(), live);
}

// Another process's, of the device's tests, is opened there.
TEST_F(CudaIpcTest, TheStandInRefusesTheProcessesOwnHandlesAndWhatIsNone) {
  const int live = standin_.Live();
  const IpcAllocation mine = IpcAllocation::Create(context_, 1).value();
  const IpcMemHandle handle = mine.Export().value();
  EXPECT_FALSE(IpcMapping::Open(context_, handle).ok()) << "it is this process's";
  EXPECT_FALSE(IpcMapping::Open(context_, IpcMemHandle{}).ok());
  EXPECT_EQ(api_->IpcCloseMemHandle(mine.pointer()), kInvalidValue) << "it was not opened";
  IpcMemHandle other{};
  EXPECT_EQ(api_->IpcGetMemHandle(&other, mine.pointer() + 1), kInvalidValue);
  EXPECT_EQ(api_->MemFree(mine.pointer() + 1), kInvalidValue);
  DevicePointer pointer = 0;
  EXPECT_EQ(api_->IpcOpenMemHandle(&pointer, handle, 0), kInvalidValue);
  EXPECT_EQ(standin_.Live(), live + 1);
}

TEST_F(CudaIpcTest, EachCallThatFailsIsTyped) {
  const int live = standin_.Live();
  standin_.Fail("cuMemAlloc", 1, kEccUncorrectable);
  EXPECT_EQ(IpcAllocation::Create(context_, 1).status().code(), StatusCode::kUnavailable);
  standin_.Fail("cuIpcGetMemHandle", 1, kOutOfMemory);
  EXPECT_EQ(IpcAllocation::Create(context_, 1)->Export().status().message(),
            "cuIpcGetMemHandle: CUDA_ERROR_OUT_OF_MEMORY");
  standin_.Fail("cuIpcOpenMemHandle", 1, kEccUncorrectable);
  EXPECT_EQ(IpcMapping::Open(context_, {}).status().code(), StatusCode::kUnavailable);
  standin_.Fail("cuIpcOpenMemHandle", 0, 0);
  EXPECT_EQ(standin_.Live(), live);
}

}  // namespace
}  // namespace trims::cuda
