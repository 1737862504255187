#include "cuda/cuda_pinned_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/macros.h"
#include "base/mapping.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_staging.h"
#include "store/host_memory.h"
#include "support/cuda_failures.h"
#include "support/cuda_standin.h"
#include "support/some_bytes.h"

namespace trims::cuda {
namespace {

constexpr size_t kPinnedBytes = 16 * kPageSize;

// A sealed memfd, mapped for reading, and memory of a device that has room for it.
class CudaPinnedPagesTest : public ::testing::Test {
 protected:
  static Mapping MapSealed() {
    const SealedExtent extent = SealedCopy("pinned", test::SomeBytes(kPinnedBytes)).value();
    return Mapping::OfFile(extent.read_only_fd(), kPinnedBytes, PROT_READ).value();
  }
  static Range MapRange(const Context& context) {
    const size_t granularity = context.ReadGranularity().value();
    const Allocation memory = Allocation::Create(context, kPinnedBytes, granularity).value();
    Range range = Range::Reserve(context, memory.bytes(), granularity).value();
    EXPECT_TRUE(range.Map(memory, 0, kAccessReadWrite).ok());
    return range;
  }
  Result_ Register(const Mapping& mapping, size_t offset, size_t bytes,
                   unsigned flags = kHostRegisterReadOnly) const {
    return api_->MemHostRegister(mapping.data() + offset, bytes, flags);
  }
  // Page by page, and what the device has then.
  Status CopyPages() {
    const Current current(context_);
    TRIMS_ASSIGN_OR_RETURN(Staging staging, Staging::Make(api_));
    TRIMS_ASSIGN_OR_RETURN(const PinnedPages pinned,
                           PinnedPages::Register(context_, mapping_.bytes()));
    const Range range = MapRange(context_);
    for (size_t at = 0; at < kPinnedBytes; at += kPageSize) {
      const Status status =
          staging.CopyPinned(range.pointer() + at, mapping_.bytes().subspan(at, kPageSize));
      if (status.ok()) continue;
      static_cast<void>(staging.Wait());
      return status;
    }
    TRIMS_RETURN_IF_ERROR(staging.Wait());
    std::vector<std::byte> read(kPinnedBytes);
    TRIMS_RETURN_IF_ERROR(
        Check(*api_, api_->MemcpyDtoH(read.data(), range.pointer(), kPinnedBytes), "cuMemcpyDtoH"));
    return std::ranges::equal(read, mapping_.bytes())
               ? Status()
               : Status(StatusCode::kDataLoss, "other bytes");
  }

  const test::CudaStandin standin_;
  const Api* const api_ = LoadDriver(standin_.Path()).value();
  const Context context_ = Context::OfOrdinal(api_, 0).value();
  const Mapping mapping_ = MapSealed();
};

TEST_F(CudaPinnedPagesTest, TheDeviceReadsThemWhereTheyLie) {
  const int live = standin_.Live();
  const uint64_t direct = standin_.DirectBytes();
  const Status status = CopyPages();
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(standin_.DirectBytes(), direct + kPinnedBytes);
  EXPECT_EQ(standin_.Live(), live);
}

TEST_F(CudaPinnedPagesTest, EachCallThatFailsIsTypedAndLeavesNothing) {
  test::ExpectEachFailureIsTyped(standin_,
                                 {"cuMemHostRegister", "cuEventCreate", "cuMemcpyHtoDAsync",
                                  "cuEventRecord", "cuEventSynchronize", "cuStreamSynchronize"},
                                 [&] { return CopyPages(); });
}

TEST_F(CudaPinnedPagesTest, AnEndThatFailsIsNoErrorOfTheCopies) {
  const int live = standin_.Live();
  standin_.Fail("cuMemHostUnregister", 1, kEccUncorrectable);
  EXPECT_TRUE(CopyPages().ok());
  standin_.Fail("cuMemHostUnregister", 0, 0);
  EXPECT_EQ(standin_.Live(), live);
}

// Whoever waited was told, or somebody else was: the memory that they were for is told, too.
TEST_F(CudaPinnedPagesTest, BytesThatDidNotArriveAreToldToAllWhoCopiedMeanwhile) {
  const Current current(context_);
  Staging staging = Staging::Make(api_).value();
  const uint64_t before = staging.failures();
  std::optional<PinnedPages> pinned = PinnedPages::Register(context_, mapping_.bytes()).value();
  const Range range = MapRange(context_);
  ASSERT_TRUE(staging.CopyPinned(range.pointer(), mapping_.bytes()).ok());
  standin_.Fail("cuStreamSynchronize", 1, kEccUncorrectable);
  EXPECT_EQ(staging.Wait().code(), StatusCode::kUnavailable);
  standin_.Fail("cuStreamSynchronize", 0, 0);
  EXPECT_TRUE(staging.Wait().ok()) << "nothing is on its way";
  EXPECT_EQ(staging.WaitSince(before).code(), StatusCode::kUnavailable);
  EXPECT_TRUE(staging.WaitSince(staging.failures()).ok());
}

TEST_F(CudaPinnedPagesTest, ADeviceSaysWhetherItCan) {
  EXPECT_TRUE(PinnedPages::CanRegister(context_));
  standin_.Fail("cuDeviceGetAttribute", 1,
                kInvalidValue);  // a driver that doesn't know what that is
  EXPECT_FALSE(PinnedPages::CanRegister(context_));
  standin_.Fail("cuDeviceGetAttribute", 0, 0);
  standin_.Set("STANDIN_CANT_PIN", "1");
  EXPECT_FALSE(PinnedPages::CanRegister(context_));
  const Current current(context_);
  EXPECT_EQ(PinnedPages::Register(context_, mapping_.bytes()).status().message(),
            "cuMemHostRegister of 65536 bytes: CUDA_ERROR_NOT_SUPPORTED");
}

// What the other tests rely on: the stand-in lets none of these pass.
TEST_F(CudaPinnedPagesTest, TheStandInRefusesToRegisterTwiceInPartOrForWriting) {
  const Current current(context_);
  EXPECT_EQ(Register(mapping_, 0, kPinnedBytes, 0), kInvalidValue) << "it can't be written";
  EXPECT_EQ(Register(mapping_, 1, kPageSize), kInvalidValue);
  EXPECT_EQ(Register(mapping_, 0, kPageSize + 1), kInvalidValue);
  EXPECT_EQ(Register(mapping_, 0, 0), kInvalidValue);
  ASSERT_EQ(Register(mapping_, kPageSize, 2 * kPageSize), kSuccess);
  EXPECT_EQ(Register(mapping_, 0, kPinnedBytes), kHostMemoryAlreadyRegistered);
  EXPECT_EQ(Register(mapping_, 2 * kPageSize, kPageSize), kHostMemoryAlreadyRegistered);
  EXPECT_EQ(api_->MemHostUnregister(mapping_.data()), kHostMemoryNotRegistered);
  EXPECT_EQ(api_->MemHostUnregister(mapping_.data() + kPageSize), kSuccess);
  EXPECT_EQ(api_->MemHostUnregister(mapping_.data() + kPageSize), kHostMemoryNotRegistered);
}

TEST_F(CudaPinnedPagesTest, TheStandInRefusesPagesThatAreNotThere) {
  const Current current(context_);
  ExtentWriter writer =
      ExtentWriter::Reserve("holes", kHugePageSize, HugePagePolicy::kSmall).value();
  const UniqueFd fd = writer.OpenToRead().value();
  const Mapping holes = Mapping::OfFile(fd.get(), kHugePageSize, PROT_READ).value();
  EXPECT_EQ(Register(holes, 0, kHugePageSize), kInvalidValue);
  const Mapping nothing = Mapping::Reserve(kPageSize, kPageSize).value();
  EXPECT_EQ(Register(nothing, 0, kPageSize), kInvalidValue);
}

TEST_F(CudaPinnedPagesTest, TheStandInRefusesCopiesFromElsewhereAndIntoThem) {
  const Current current(context_);
  Staging staging = Staging::Make(api_).value();
  const Range range = MapRange(context_);
  EXPECT_FALSE(staging.CopyPinned(range.pointer(), mapping_.bytes()).ok()) << "not registered";
  ASSERT_EQ(Register(mapping_, 0, kPageSize), kSuccess);
  EXPECT_FALSE(staging.CopyPinned(range.pointer(), mapping_.bytes().first(2 * kPageSize)).ok());
  EXPECT_EQ(api_->MemcpyDtoH(mapping_.data(), range.pointer(), kPageSize), kInvalidValue);
  EXPECT_EQ(api_->MemHostUnregister(mapping_.data()), kSuccess);
}

TEST_F(CudaPinnedPagesTest, TheStandInRefusesAnEndBeforeTheCopiesAndPagesThatWent) {
  const Current current(context_);
  Staging staging = Staging::Make(api_).value();
  const Range range = MapRange(context_);
  const SealedExtent extent = SealedCopy("pinned", test::SomeBytes(kPinnedBytes)).value();
  const Mapping mapping = Mapping::OfFile(extent.read_only_fd(), kPinnedBytes, PROT_READ).value();
  const auto map = [&mapping](int flags, int fd) {
    return ::mmap(mapping.data(), kPinnedBytes, PROT_READ, flags | MAP_FIXED, fd, 0);
  };
  ASSERT_EQ(Register(mapping, 0, kPinnedBytes), kSuccess);
  ASSERT_TRUE(staging.CopyPinned(range.pointer(), mapping.bytes()).ok());
  EXPECT_EQ(api_->MemHostUnregister(mapping.data()), kInvalidValue) << "a copy is on its way";
  EXPECT_EQ(api_->MemUnmap(range.pointer(), range.bytes()), kInvalidValue) << "to there";
  ASSERT_NE(map(MAP_PRIVATE | MAP_ANONYMOUS, -1), MAP_FAILED);
  EXPECT_FALSE(staging.Wait().ok()) << "the pages went before their bytes arrived";
  EXPECT_EQ(api_->MemHostUnregister(mapping.data()), kInvalidValue) << "others are there";
  ASSERT_NE(map(MAP_SHARED, extent.read_only_fd()), MAP_FAILED);
  EXPECT_EQ(api_->MemHostUnregister(mapping.data()), kSuccess);
}

}  // namespace
}  // namespace trims::cuda
