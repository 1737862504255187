#include "device/cuda_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/macros.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_memory.h"
#include "store/host_memory.h"
#include "support/cuda_standin.h"
#include "support/held_resources.h"
#include "support/some_bytes.h"

namespace trims {
namespace {

constexpr uint64_t kCudaBytes = 9'000'000;

class CudaDeviceTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Device>> Make(int ordinal = 0) {
    return MakeCudaDevice({.ordinal = ordinal, .driver = test::CudaStandin::Path()});
  }
  // All steps of a load, and what somebody else then reads.
  Result<std::vector<std::byte>> Fill() {
    TRIMS_ASSIGN_OR_RETURN(const auto device, Make());
    const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kCudaBytes)).value();
    TRIMS_ASSIGN_OR_RETURN(const auto from, device->Attach(extent.read_only_fd(), kCudaBytes));
    TRIMS_ASSIGN_OR_RETURN(const auto memory, device->Allocate("model", kCudaBytes));
    TRIMS_RETURN_IF_ERROR(memory->CopyIn(*from, 0, 1000));
    TRIMS_RETURN_IF_ERROR(memory->CopyIn(*from, 1000, kCudaBytes - 1000));
    TRIMS_ASSIGN_OR_RETURN(const UniqueFd fd, memory->Export());
    return Read(fd.get());
  }
  // Each of the calls fails in turn, the first time that it is made and each later time.
  template <typename Make>
  void ExpectEachFailureIsTyped(std::initializer_list<const char*> calls, Make make) {
    ASSERT_TRUE(make().ok());
    const int live = standin_.Live();
    const size_t fds = test::HeldFds();
    for (const char* call : calls) {
      int nth = 1;
      for (;; ++nth) {
        standin_.Fail(call, nth, cuda::kOutOfMemory);
        const Status status = make().status();
        standin_.Fail(call, 0, 0);
        if (status.ok()) break;
        EXPECT_EQ(status.code(), StatusCode::kResourceExhausted)
            << call << nth << status.ToString();
        EXPECT_EQ(standin_.Live(), live) << call << nth;
        EXPECT_EQ(test::HeldFds(), fds) << call << nth;
      }
      EXPECT_GT(nth, 1) << call << " is never made";
    }
  }

  // From the first device to the second, and what somebody else then reads there.
  Result<std::vector<std::byte>> FillFromPeer() {
    TRIMS_ASSIGN_OR_RETURN(const auto device, Make());
    const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kCudaBytes)).value();
    TRIMS_ASSIGN_OR_RETURN(const auto from, device->Attach(extent.read_only_fd(), kCudaBytes));
    TRIMS_ASSIGN_OR_RETURN(const auto memory, device->Allocate("model", kCudaBytes));
    TRIMS_RETURN_IF_ERROR(memory->CopyIn(*from, 0, kCudaBytes));
    TRIMS_ASSIGN_OR_RETURN(const UniqueFd exported, memory->Export());
    TRIMS_ASSIGN_OR_RETURN(const auto other, Make(1));
    TRIMS_ASSIGN_OR_RETURN(const auto peer,
                           other->AttachPeer(exported.get(), kCudaBytes, device->info().uuid));
    TRIMS_ASSIGN_OR_RETURN(const auto copy, other->Allocate("model", kCudaBytes));
    TRIMS_RETURN_IF_ERROR(copy->CopyIn(*peer, 0, 1000));
    TRIMS_RETURN_IF_ERROR(copy->CopyIn(*peer, 1000, kCudaBytes - 1000));
    if (copy->CopyIn(*peer, 1, kCudaBytes).code() != StatusCode::kInvalidArgument)
      return Status(StatusCode::kInternal, "more was copied than there is");
    TRIMS_ASSIGN_OR_RETURN(const UniqueFd fd, copy->Export());
    return Read(fd.get());
  }
  static std::vector<std::byte> Read(int fd) {
    std::vector<std::byte> bytes(kCudaBytes);
    EXPECT_EQ(::pread(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(kCudaBytes));
    return bytes;
  }

  const test::CudaStandin standin_;
};

TEST_F(CudaDeviceTest, SaysWhatItIs) {
  const auto device = Make(1);
  ASSERT_TRUE(device.ok()) << device.status().ToString();
  const DeviceInfo& info = (*device)->info();
  EXPECT_EQ(info.name, "cuda:1");
  EXPECT_EQ(info.uuid, "5d5d5d5d-5d5d-5d5d-5d5d-5d5d5d5d5d01");
  EXPECT_EQ(info.memory, HandleKind::kCudaDevice);
  EXPECT_EQ(info.capacity, uint64_t{64} << 20);
  EXPECT_EQ(info.granularity, uint64_t{2} << 20);
}

TEST_F(CudaDeviceTest, WhatWasCopiedInIsWhatIsShared) {
  const int live = standin_.Live();
  const auto read = Fill();
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_TRUE(std::ranges::equal(*read, test::SomeBytes(kCudaBytes)));
  EXPECT_EQ(standin_.Live(), live);
}

TEST_F(CudaDeviceTest, BytesOfOnePlaceCanGoToAnother) {
  const auto device = Make();
  const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kCudaBytes)).value();
  const auto from = (*device)->Attach(extent.read_only_fd(), kCudaBytes);
  const auto memory = (*device)->Allocate("piece", kCudaBytes);
  const uint64_t half = kCudaBytes / 2;
  ASSERT_TRUE((*memory)->CopySpanIn(**from, {.from = half, .to = 0, .length = half}).ok());
  ASSERT_TRUE((*memory)->CopySpanIn(**from, {.from = 0, .to = half, .length = half}).ok());
  EXPECT_EQ((*memory)->CopySpanIn(**from, {.from = 0, .to = half + 1, .length = half}).code(),
            StatusCode::kInvalidArgument);
  const UniqueFd shared = (*memory)->Export().value();
  std::vector<std::byte> expected = Read(extent.read_only_fd());
  std::ranges::rotate(expected, expected.begin() + static_cast<ptrdiff_t>(half));
  EXPECT_TRUE(Read(shared.get()) == expected);
}

TEST_F(CudaDeviceTest, AfterItIsSharedNothingIsCopiedIn) {
  const auto device = Make();
  const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kCudaBytes)).value();
  const auto from = (*device)->Attach(extent.read_only_fd(), kCudaBytes);
  const auto memory = (*device)->Allocate("model", kCudaBytes);
  ASSERT_TRUE((*memory)->Export().ok());
  EXPECT_EQ((*memory)->CopyIn(**from, 0, 1).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ((*memory)->Export().status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(CudaDeviceTest, OnlyWhatIsInBothIsCopied) {
  const auto device = Make();
  const SealedExtent extent = SealedCopy("bytes", test::SomeBytes(kCudaBytes)).value();
  const auto from = (*device)->Attach(extent.read_only_fd(), kCudaBytes);
  const auto memory = (*device)->Allocate("model", 1000);
  EXPECT_EQ((*memory)->CopyIn(**from, 1, 1000).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ((*memory)->CopyIn(**from, UINT64_MAX, 2).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ((*device)->Allocate("none", 0).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(CudaDeviceTest, APeersBytesAreReadWhereTheyLie) {
  const int live = standin_.Live();
  const auto read = FillFromPeer();
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_TRUE(std::ranges::equal(*read, test::SomeBytes(kCudaBytes)));
  EXPECT_EQ(standin_.Live(), live);
}

TEST_F(CudaDeviceTest, WithoutAccessToAPeerItSaysSo) {
  standin_.Set("STANDIN_NO_PEERS", "1");
  const int live = standin_.Live();
  const Status status = FillFromPeer().status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("cuda:1 can't read the memory of"));
  EXPECT_EQ(standin_.Live(), live);
  const auto device = Make(1);
  EXPECT_EQ((*device)->AttachPeer(0, 1, "one that is hidden").status().code(),
            StatusCode::kUnimplemented);
}

TEST_F(CudaDeviceTest, EachCallForAPeerThatFailsIsTypedAndLeavesNothing) {
  ExpectEachFailureIsTyped(
      {"cuDeviceCanAccessPeer", "cuMemImportFromShareableHandle", "cuMemAddressReserve", "cuMemMap",
       "cuMemSetAccess", "cuMemcpyDtoDAsync", "cuStreamSynchronize"},
      [this] { return FillFromPeer(); });
}

TEST_F(CudaDeviceTest, EachCallThatFailsIsTypedAndLeavesNothing) {
  ExpectEachFailureIsTyped(
      {"cuDeviceTotalMem", "cuDeviceGetUuid", "cuDeviceGetAttribute", "cuMemCreate",
       "cuMemAddressReserve", "cuMemMap", "cuMemSetAccess", "cuMemcpyHtoDAsync",
       "cuStreamSynchronize", "cuMemExportToShareableHandle"},
      [this] { return Fill(); });
}

TEST_F(CudaDeviceTest, OneThatCannotShareIsRefused) {
  standin_.Set("STANDIN_CANT_SHARE", "1");
  const Status status = Make().status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("no virtual memory management"));
}

TEST_F(CudaDeviceTest, OneThatIsNotThereIsRefused) {
  EXPECT_EQ(Make(7).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace trims
