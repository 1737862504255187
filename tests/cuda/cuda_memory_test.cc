#include "cuda/cuda_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/macros.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_staging.h"
#include "support/cuda_failures.h"
#include "support/cuda_standin.h"
#include "support/held_resources.h"
#include "support/some_bytes.h"

namespace trims::cuda {
namespace {

constexpr size_t kGranule = size_t{2} << 20;
constexpr size_t kCopied = 3 * Staging::kBufferBytes + 12345;  // both buffers, and again

class CudaMemoryTest : public ::testing::Test {
 protected:
  // All there is: allocate, write, share, import, map for reading.
  Status Share() {
    TRIMS_ASSIGN_OR_RETURN(const Context context, Context::OfOrdinal(api_, 1));
    const Current current(context);
    TRIMS_ASSIGN_OR_RETURN(const size_t granularity, context.ReadGranularity());
    TRIMS_ASSIGN_OR_RETURN(const Allocation mine,
                           Allocation::Create(context, kCopied, granularity));
    TRIMS_ASSIGN_OR_RETURN(Range range, Range::Reserve(context, mine.bytes(), granularity));
    TRIMS_RETURN_IF_ERROR(range.Map(mine, 0, kAccessReadWrite));
    TRIMS_ASSIGN_OR_RETURN(Staging staging, Staging::Make(api_));
    TRIMS_RETURN_IF_ERROR(staging.Copy(range.pointer(), test::SomeBytes(kCopied)));
    TRIMS_ASSIGN_OR_RETURN(const UniqueFd fd, mine.Export());
    TRIMS_ASSIGN_OR_RETURN(const Allocation theirs,
                           Allocation::Import(context, fd.get(), kCopied, granularity));
    TRIMS_ASSIGN_OR_RETURN(Range shared, Range::Reserve(context, 2 * theirs.bytes(), granularity));
    TRIMS_RETURN_IF_ERROR(shared.Map(theirs, theirs.bytes(), kAccessRead));
    std::vector<std::byte> read(kCopied);
    TRIMS_RETURN_IF_ERROR(
        Check(*api_, api_->MemcpyDtoH(read.data(), shared.pointer() + theirs.bytes(), kCopied),
              "cuMemcpyDtoH"));
    return std::ranges::equal(read, test::SomeBytes(kCopied))
               ? Status()
               : Status(StatusCode::kDataLoss, "other bytes");
  }

  const test::CudaStandin standin_;
  const Api* const api_ = LoadDriver(standin_.Path()).value();
};

TEST_F(CudaMemoryTest, WhatIsSharedHasTheBytesAndNothingIsLeft) {
  const size_t fds = test::HeldFds();
  const int live = standin_.Live();
  const Status status = Share();
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(standin_.Live(), live);
  EXPECT_EQ(test::HeldFds(), fds);
}

TEST_F(CudaMemoryTest, EachCallThatFailsIsTypedAndLeavesNothing) {
  test::ExpectEachFailureIsTyped(
      standin_,
      {"cuDeviceGetCount", "cuDeviceGet", "cuDevicePrimaryCtxRetain",
       "cuMemGetAllocationGranularity", "cuMemCreate", "cuMemAddressReserve", "cuMemMap",
       "cuMemSetAccess", "cuStreamCreate", "cuMemHostAlloc", "cuEventCreate", "cuMemcpyHtoDAsync",
       "cuEventRecord", "cuEventSynchronize", "cuStreamSynchronize", "cuMemExportToShareableHandle",
       "cuMemImportFromShareableHandle"},
      [&] { return Share(); });
}

TEST_F(CudaMemoryTest, AnOrdinalOrUuidThatIsNotThereIsNamed) {
  Status status = Context::OfOrdinal(api_, 2).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("no CUDA device 2 among the 2"));
  status = Context::OfUuid(api_, "5d5d").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("5d5d5d5d-5d5d-5d5d-5d5d-5d5d5d5d5d00"));
}

TEST_F(CudaMemoryTest, ADeviceIsFoundByItsUuidWhateverItsNumberHere) {
  const std::string second = Context::OfOrdinal(api_, 1)->ReadUuid().value();
  standin_.Set("STANDIN_FIRST", "1");  // this process's first is the other's second
  const Result<Context> found = Context::OfUuid(api_, second);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->ordinal(), 0);
}

TEST_F(CudaMemoryTest, WhatIsFullSaysSo) {
  const Context context = Context::OfOrdinal(api_, 0).value();
  const Status status = Allocation::Create(context, size_t{65} << 20, kGranule).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("69206016 bytes"));
}

// As on hardware, where it is the device that faults.
TEST_F(CudaMemoryTest, WhatIsMappedForReadingCannotBeCopiedTo) {
  const Context context = Context::OfOrdinal(api_, 0).value();
  const Current current(context);
  const Allocation mine = Allocation::Create(context, 1, kGranule).value();
  const UniqueFd fd = mine.Export().value();
  const Allocation theirs = Allocation::Import(context, fd.get(), 1, kGranule).value();
  Range range = Range::Reserve(context, kGranule, kGranule).value();
  ASSERT_TRUE(range.Map(theirs, 0, kAccessRead).ok());
  Staging staging = Staging::Make(api_).value();
  EXPECT_FALSE(staging.Copy(range.pointer(), test::SomeBytes(kCopied)).ok());
}

TEST_F(CudaMemoryTest, TheThreadHasItsOwnContextAgain) {
  const Context first = Context::OfOrdinal(api_, 0).value();
  const Context second = Context::OfOrdinal(api_, 1).value();
  const Current outer(first);
  { const Current inner(second); }
  Context_ now = nullptr;
  ASSERT_EQ(api_->CtxPopCurrent(&now), kSuccess);
  EXPECT_EQ(now, first.get());
  ASSERT_EQ(api_->CtxPushCurrent(now), kSuccess);
}

}  // namespace
}  // namespace trims::cuda
