#include "device/cuda_host_bytes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/seals.h"
#include "base/unique_fd.h"
#include "cuda/cuda_api.h"
#include "device/cuda_device.h"
#include "device/remote_device.h"
#include "store/host_memory.h"
#include "support/cuda_failures.h"
#include "support/cuda_standin.h"
#include "support/some_bytes.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kHostBytes = 9'000'001;
constexpr uint64_t kPartBytes = 1'000'000;  // more parts than may be on their way

class CudaHostBytesTest : public ::testing::Test {
 protected:
  static Result<std::unique_ptr<Device>> Make() {
    return MakeCudaDevice({.ordinal = 0, .driver = test::CudaStandin::Path()});
  }
  static SealedExtent Sealed() { return SealedCopy("bytes", test::SomeBytes(kHostBytes)).value(); }
  static Status CopyParts(const CopySource& from, DeviceMemory* memory, uint64_t begin,
                          uint64_t end) {
    for (; begin < end; begin += kPartBytes) {
      TRIMS_RETURN_IF_ERROR(memory->CopyIn(from, begin, std::min(kPartBytes, end - begin)));
    }
    return Status();
  }
  static bool HasBytes(const UniqueFd& fd) {
    std::vector<std::byte> read(kHostBytes);
    EXPECT_EQ(::pread(fd.get(), read.data(), read.size(), 0), static_cast<ssize_t>(kHostBytes));
    return std::ranges::equal(read, test::SomeBytes(kHostBytes));
  }
  // All steps of a load of what is resident on the host; the source goes while copies may be on their way.
  static Status Fill(Device* device) {
    const SealedExtent extent = Sealed();
    TRIMS_ASSIGN_OR_RETURN(auto from, device->Attach(extent.read_only_fd(), kHostBytes));
    TRIMS_ASSIGN_OR_RETURN(const auto memory, device->Allocate("model", kHostBytes));
    TRIMS_RETURN_IF_ERROR(CopyParts(*from, memory.get(), 0, kHostBytes));
    from.reset();
    TRIMS_ASSIGN_OR_RETURN(const UniqueFd fd, memory->Export());
    return HasBytes(fd) ? Status() : Status(StatusCode::kDataLoss, "other bytes");
  }
  static Status MakeAndFill() {
    TRIMS_ASSIGN_OR_RETURN(const auto device, Make());
    return Fill(device.get());
  }
  uint64_t DirectBytesOf(Device* device) const {
    const uint64_t before = standin_.DirectBytes();
    const Status status = Fill(device);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return standin_.DirectBytes() - before;
  }

  const test::CudaStandin standin_;
};

TEST_F(CudaHostBytesTest, WhatIsSealedIsReadWhereItLies) {
  const int live = standin_.Live();
  EXPECT_EQ(DirectBytesOf(Make()->get()), kHostBytes);
  EXPECT_EQ(standin_.Live(), live);
}

TEST_F(CudaHostBytesTest, ItIsRegisteredOnceAndAsLongAsItIsAttached) {
  const auto device = Make();
  const SealedExtent extent = Sealed();
  const int live = standin_.Live();
  auto from = (*device)->Attach(extent.read_only_fd(), kHostBytes);
  EXPECT_EQ(standin_.Live(), live + 1);
  {
    const auto again = (*device)->Attach(extent.read_only_fd(), kHostBytes);
    EXPECT_EQ(standin_.Live(), live + 2);
  }
  from->reset();
  EXPECT_EQ(standin_.Live(), live);
}

// All pages are registered, whatever is copied.
TEST_F(CudaHostBytesTest, ForLessThanHalfOfItNothingIsRegistered) {
  const auto device = Make();
  const SealedExtent extent = Sealed();
  const int live = standin_.Live();
  const int fd = extent.read_only_fd();
  EXPECT_TRUE((*device)->AttachFor(kHostBytes / 2 - 1, fd, kHostBytes).ok());
  EXPECT_EQ(standin_.Live(), live);
  const auto half = (*device)->AttachFor(kHostBytes / 2, fd, kHostBytes);
  EXPECT_EQ(standin_.Live(), live + 1);
}

TEST_F(CudaHostBytesTest, WhatIsTooLargeIsNotRegisteredAndSaysSo) {
  const auto device = Make();
  constexpr uint64_t kTooMany = CudaHostBytes::kMostPinnedBytes + 1;
  UniqueFd fd(::memfd_create("large", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(fd.get(), kTooMany), 0);
  ASSERT_EQ(::fcntl(fd.get(), F_ADD_SEALS, kAllSeals), 0);
  const int live = standin_.Live();
  const auto from = (*device)->Attach(fd.get(), kTooMany).value();
  EXPECT_EQ(standin_.Live(), live);
  EXPECT_THAT(from->detour().message(), HasSubstr("bytes of the host's are not registered"));
}

TEST_F(CudaHostBytesTest, EachCallThatFailsIsTypedAndLeavesNothing) {
  test::ExpectEachFailureIsTyped(
      standin_,
      {"cuEventCreate", "cuMemHostAlloc", "cuMemcpyHtoDAsync", "cuEventRecord",
       "cuEventSynchronize", "cuStreamSynchronize", "cuMemExportToShareableHandle"},
      MakeAndFill);
}

TEST_F(CudaHostBytesTest, AlsoWhereNothingIsRegistered) {
  standin_.Set("STANDIN_CANT_PIN", "1");
  test::ExpectEachFailureIsTyped(
      standin_, {"cuMemcpyHtoDAsync", "cuEventRecord", "cuStreamSynchronize"}, MakeAndFill);
}

TEST_F(CudaHostBytesTest, ADeviceThatCannotReadItGetsItThroughTheBuffers) {
  standin_.Set("STANDIN_CANT_PIN", "1");
  const auto device = Make();
  const SealedExtent extent = Sealed();
  const int live = standin_.Live();
  EXPECT_TRUE((*device)->Attach(extent.read_only_fd(), kHostBytes).ok());
  EXPECT_EQ(standin_.Live(), live);
  EXPECT_EQ(DirectBytesOf(device->get()), 0u);
}

// One driver counts it against the memory that may be locked, another has a largest size.
TEST_F(CudaHostBytesTest, WhatADriverRefusesGoesThroughTheBuffersAndSaysWhy) {
  const auto device = Make().value();
  EXPECT_EQ(device->info().copies, "pinned");
  const SealedExtent extent = Sealed();
  for (const int result : {cuda::kOutOfMemory, cuda::kNotPermitted, cuda::kNotSupported}) {
    standin_.Fail("cuMemHostRegister", 1, result);
    EXPECT_EQ(DirectBytesOf(device.get()), 0u);
    standin_.Fail("cuMemHostRegister", 1, result);
    const auto from = device->Attach(extent.read_only_fd(), kHostBytes).value();
    EXPECT_THAT(from->detour().message(), HasSubstr("cuMemHostRegister of 9003008 bytes: CUDA_"));
  }
  standin_.Fail("cuMemHostRegister", 0, 0);
  EXPECT_EQ(DirectBytesOf(device.get()), kHostBytes) << "the next one may be registered";
  EXPECT_TRUE(device->Attach(extent.read_only_fd(), kHostBytes).value()->detour().ok());
}

// The process of the device has no log: the daemon's has it, once.
TEST_F(CudaHostBytesTest, TheDaemonSaysOnceWhatADriverRefused) {
  const auto start = [](const std::string& setting) {
    return StartRemoteDevice({.command = {"/usr/bin/env", setting, TRIMS_DEVICE_PROGRAM,
                                          "cuda:0,driver=" + test::CudaStandin::Path()}})
        .value();
  };
  const SealedExtent extent = Sealed();
  EXPECT_EQ(start("STANDIN_CANT_PIN=1")->info().copies, "staged");
  const auto device = start("STANDIN_FAIL=cuMemHostRegister:2:2");
  EXPECT_EQ(device->info().copies, "pinned");
  const auto logged = [&] {
    ::testing::internal::CaptureStderr();
    EXPECT_TRUE(device->Attach(extent.read_only_fd(), kHostBytes).ok());
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(logged(), "");
  const auto little = [&] {
    return device->AttachFor(kHostBytes / 2 - 1, extent.read_only_fd(), kHostBytes).ok();
  };
  EXPECT_TRUE(little()) << "not registered, and so not refused";
  EXPECT_THAT(logged(), HasSubstr("device.not_pinned device=cuda:0 error=\"RESOURCE_EXHAUSTED"));
  EXPECT_EQ(logged(), "");
}

TEST_F(CudaHostBytesTest, OnlyWhatIsSealedIsRegisteredSoThatTheRestIsNeitherAllocatedNorHeld) {
  const auto device = Make();
  ExtentWriter writer =
      ExtentWriter::Reserve("growing", kHostBytes, HugePagePolicy::kSmall).value();
  const UniqueFd fd = writer.OpenToRead().value();
  const uint64_t direct = standin_.DirectBytes();
  const int live = standin_.Live();
  const auto from = (*device)->Attach(fd.get(), kHostBytes).value();
  EXPECT_EQ(standin_.Live(), live);
  struct stat before {};
  ASSERT_EQ(::fstat(fd.get(), &before), 0);
  EXPECT_LT(before.st_blocks * 512, static_cast<blkcnt_t>(kHostBytes));
  const auto memory = (*device)->Allocate("model", kHostBytes).value();
  for (const uint64_t end : {kHostBytes / 2, kHostBytes}) {
    const uint64_t begin = end == kHostBytes ? kHostBytes / 2 : 0;
    ASSERT_TRUE(writer.Allocate(end).ok());
    std::memcpy(writer.data() + begin, test::SomeBytes(kHostBytes).data() + begin, end - begin);
    ASSERT_TRUE(CopyParts(*from, memory.get(), begin, end).ok());
  }
  EXPECT_TRUE(std::move(writer).Seal().ok()) << "which it can't be while its pages are held";
  EXPECT_TRUE(HasBytes(memory->Export().value()));
  EXPECT_EQ(standin_.DirectBytes(), direct);
}

// The end of the source was told, which has nobody to tell.
TEST_F(CudaHostBytesTest, BytesThatDidNotArriveAreAnErrorOfTheMemoryAndOfNoLaterOne) {
  const auto device = Make();
  const SealedExtent extent = Sealed();
  auto from = (*device)->Attach(extent.read_only_fd(), kHostBytes).value();
  const auto memory = (*device)->Allocate("model", kHostBytes).value();
  ASSERT_TRUE(CopyParts(*from, memory.get(), 0, kHostBytes).ok());
  standin_.Fail("cuStreamSynchronize", 1, cuda::kEccUncorrectable);
  from.reset();
  standin_.Fail("cuStreamSynchronize", 0, 0);
  EXPECT_EQ(memory->Export().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(DirectBytesOf(device->get()), kHostBytes);
}

TEST_F(CudaHostBytesTest, MemoryThatIsGivenUpEndsAfterTheCopiesToIt) {
  const auto device = Make();
  const SealedExtent extent = Sealed();
  const int live = standin_.Live();
  {
    const auto from = (*device)->Attach(extent.read_only_fd(), kHostBytes).value();
    const auto memory = (*device)->Allocate("model", kHostBytes).value();
    ASSERT_TRUE(CopyParts(*from, memory.get(), 0, kHostBytes / 2).ok());
  }
  EXPECT_EQ(standin_.Live(), live);
}

}  // namespace
}  // namespace trims
