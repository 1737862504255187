#include "store/host_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "base/fault.h"
#include "format/manifest.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::HeldFds;
using test::MappedMemfds;

constexpr uint64_t kMiB = uint64_t{1} << 20;

std::byte Pattern(uint64_t i) { return static_cast<std::byte>(i * 7 + i / 4096); }

void Fill(ExtentWriter& writer) {
  for (uint64_t i = 0; i < writer.length(); ++i) writer.data()[i] = Pattern(i);
}

bool HoldsPattern(std::span<const std::byte> bytes) {
  for (uint64_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != Pattern(i)) return false;
  }
  return true;
}

TEST(ExtentFootprintTest, IsWholePages) {
  EXPECT_EQ(ExtentFootprint(0), 0u);
  EXPECT_EQ(ExtentFootprint(1), 4096u);
  EXPECT_EQ(ExtentFootprint(4096), 4096u);
  EXPECT_EQ(ExtentFootprint(2 * kMiB + 1), 2 * kMiB + 4096);
}

// Lengths around every boundary that the allocation knows, on every kind of page.
class ExtentTest : public ::testing::TestWithParam<std::tuple<uint64_t, HugePagePolicy>> {
 protected:
  uint64_t length() const { return std::get<0>(GetParam()); }
  HugePagePolicy policy() const { return std::get<1>(GetParam()); }
};

TEST_P(ExtentTest, WhatWasWrittenIsWhatIsMapped) {
  const size_t fds = HeldFds();
  {
    Result<ExtentWriter> writer = ExtentWriter::Create("roundtrip", length(), policy());
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(writer->data()) % kHugePageSize, 0u);
    Fill(*writer);
    const Pages pages = writer->pages();
    Result<SealedExtent> extent = std::move(*writer).Seal();
    ASSERT_TRUE(extent.ok()) << extent.status().ToString();
    EXPECT_EQ(extent->length(), length());
    EXPECT_EQ(extent->pages(), pages);
    const Result<Mapping> mapped = Mapping::OfFile(extent->read_only_fd(), length(), PROT_READ);
    ASSERT_TRUE(mapped.ok()) << mapped.status().ToString();
    EXPECT_TRUE(HoldsPattern(mapped->bytes()));
  }
  EXPECT_EQ(HeldFds(), fds);
  EXPECT_EQ(MappedMemfds(), 0u);
}

TEST_P(ExtentTest, ANewExtentIsZero) {
  Result<ExtentWriter> writer = ExtentWriter::Create("zero", length(), policy());
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(std::all_of(writer->data(), writer->data() + length(),
                          [](std::byte b) { return b == std::byte{0}; }));
}

TEST_P(ExtentTest, AllocatesAllOfItAndTheFileIsNoLonger) {
  Result<ExtentWriter> writer = ExtentWriter::Create("allocated", length(), policy());
  ASSERT_TRUE(writer.ok());
  Result<SealedExtent> extent = std::move(*writer).Seal();
  ASSERT_TRUE(extent.ok());
  struct stat found = {};
  ASSERT_EQ(::fstat(extent->read_only_fd(), &found), 0);
  if (extent->pages() == Pages::kHugeTlb) {
    EXPECT_EQ(static_cast<uint64_t>(found.st_size), AlignUp(length(), kHugePageSize));
  } else {
    EXPECT_EQ(static_cast<uint64_t>(found.st_size), length());
    EXPECT_EQ(static_cast<uint64_t>(found.st_blocks) * 512, ExtentFootprint(length()));
  }
}

TEST_P(ExtentTest, AllocatingInStepsGivesTheSame) {
  Result<ExtentWriter> writer = ExtentWriter::Reserve("steps", length(), policy());
  ASSERT_TRUE(writer.ok());
  uint64_t filled = 0;
  for (uint64_t end = 1; filled < length(); end += 1'000'001) {
    ASSERT_TRUE(writer->Allocate(end).ok());
    for (; filled < std::min(end, length()); ++filled) writer->data()[filled] = Pattern(filled);
  }
  Result<ExtentWriter> at_once = ExtentWriter::Create("once", length(), policy());
  ASSERT_TRUE(at_once.ok());
  EXPECT_EQ(writer->pages(), at_once->pages());
  Result<SealedExtent> extent = std::move(*writer).Seal();
  ASSERT_TRUE(extent.ok());
  const Result<Mapping> mapped = Mapping::OfFile(extent->read_only_fd(), length(), PROT_READ);
  ASSERT_TRUE(mapped.ok());
  EXPECT_TRUE(HoldsPattern(mapped->bytes()));
}

INSTANTIATE_TEST_SUITE_P(
    Boundaries, ExtentTest,
    ::testing::Combine(::testing::Values(1, 4095, 4096, 4097, 2 * kMiB - 1, 2 * kMiB, 2 * kMiB + 1,
                                         4 * kMiB + 12345),
                       ::testing::Values(HugePagePolicy::kBest, HugePagePolicy::kNoHugeTlb,
                                         HugePagePolicy::kSmall)));

TEST(ExtentWriterTest, PagesAreWhatTheMappingHas) {
  const Result<ExtentWriter> writer =
      ExtentWriter::Create("pages", 8 * kMiB, HugePagePolicy::kNoHugeTlb);
  ASSERT_TRUE(writer.ok());
  std::memset(writer->data(), 1, 8 * kMiB);
  EXPECT_EQ(writer->pages() == Pages::kTransparentHuge, IsMappedHuge(writer->data(), 8 * kMiB));
  EXPECT_EQ(writer->pages(),
            ProbeHugePages().pages == Pages::kSmall ? Pages::kSmall : Pages::kTransparentHuge);
}

TEST(ExtentWriterTest, SmallPagesAreSmall) {
  const Result<ExtentWriter> writer =
      ExtentWriter::Create("small", 4 * kMiB, HugePagePolicy::kSmall);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(writer->pages(), Pages::kSmall);
}

TEST(ExtentWriterTest, WhereTheKernelRefusesHugePagesThereAreSmallOnesAndThatIsSaid) {
  // The first region of all, or one after it; how many calls the rest takes depends on how busy the machine is.
  for (const int refused : {1, 2}) {
    const fault::ScopedPlan plan(
        {.op = fault::Op::kMadvise, .nth = refused, .error = ENOMEM, .count = 1000});
    Result<ExtentWriter> writer =
        ExtentWriter::Create("refused", 8 * kMiB, HugePagePolicy::kNoHugeTlb);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    EXPECT_EQ(writer->pages(), Pages::kSmall);
    Fill(*writer);
    Result<SealedExtent> extent = std::move(*writer).Seal();
    ASSERT_TRUE(extent.ok());
    const Result<Mapping> mapped = Mapping::OfFile(extent->read_only_fd(), 8 * kMiB, PROT_READ);
    EXPECT_TRUE(HoldsPattern(mapped->bytes()));
  }
}

TEST(ExtentWriterTest, ACollapseThatIsAskedToTryAgainTriesAgain) {
  if (ProbeHugePages().pages == Pages::kSmall) GTEST_SKIP() << ProbeHugePages().reason;
  const fault::ScopedPlan plan({.op = fault::Op::kMadvise, .nth = 2, .error = EAGAIN, .count = 2});
  const Result<ExtentWriter> writer =
      ExtentWriter::Create("again", 8 * kMiB, HugePagePolicy::kNoHugeTlb);
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(plan.fired());
  EXPECT_EQ(writer->pages(), Pages::kTransparentHuge);
}

TEST(ExtentWriterTest, PagesThatArePinnedAMomentLongerAreSealedAfterAll) {
  for (const auto& [times, sealed] : {std::pair{3, true}, {1000, false}}) {
    Result<ExtentWriter> writer = ExtentWriter::Create("pinned", kMiB, HugePagePolicy::kSmall);
    ASSERT_TRUE(writer.ok());
    const fault::ScopedPlan plan(
        {.op = fault::Op::kSeal, .nth = 1, .error = EBUSY, .count = times});
    EXPECT_EQ(std::move(*writer).Seal().ok(), sealed);
    EXPECT_TRUE(plan.fired());
  }
}

TEST(ExtentWriterTest, LengthsThatCanNotBeAreRefused) {
  EXPECT_EQ(ExtentWriter::Create("empty", 0, HugePagePolicy::kBest).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(ExtentWriter::Create("huge", UINT64_MAX, HugePagePolicy::kBest).status().code(),
            StatusCode::kTooLarge);
}

// The OOM killer must not be the one who says so.
TEST(ExtentWriterTest, MoreThanTheMachineHasIsExhaustedBeforeAnythingIsTaken) {
  const Status status =
      ExtentWriter::Create("too much", uint64_t{1} << 45, HugePagePolicy::kBest).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(status.hint(), "");
}

TEST(ExtentWriterTest, NamesAreCutAndMadePrintable) {
  const std::string name = "a b\n" + std::string(1000, 'x');
  EXPECT_TRUE(ExtentWriter::Create(name, 10, HugePagePolicy::kSmall).ok());
}

TEST(ExtentWriterTest, EveryFailureIsTypedAndLeavesNothing) {
  const size_t fds = HeldFds();
  const auto make = [] {
    Result<ExtentWriter> writer = ExtentWriter::Create("fault", 5 * kMiB, HugePagePolicy::kBest);
    return writer.ok() ? std::move(*writer).Seal().status() : writer.status();
  };
  int failures = 0;
  for (const fault::Op op : fault::kAllOps) {
    for (int nth = 1;; ++nth) {
      ASSERT_LT(nth, 1000);
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = ENOMEM});
      const Status status = make();
      if (!plan.fired()) break;
      if (!status.ok()) {
        EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << fault::OpName(op) << nth;
        ++failures;
      }
      EXPECT_EQ(HeldFds(), fds) << fault::OpName(op) << nth;
      EXPECT_EQ(MappedMemfds(), 0u) << fault::OpName(op) << nth;
    }
  }
  EXPECT_GE(failures, 6) << "memfd_create, ftruncate, fallocate, mmap (2), seal, re-open";
  EXPECT_TRUE(make().ok());
}

TEST(SealedCopyTest, HoldsTheBytes) {
  const std::string text = "an index";
  const Result<SealedExtent> copy = SealedCopy("copy", std::as_bytes(std::span(text)));
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ(copy->length(), text.size());
  EXPECT_EQ(copy->pages(), Pages::kSmall);
  char back[16] = {};
  EXPECT_EQ(::pread(copy->read_only_fd(), back, sizeof(back), 0), 8);
  EXPECT_EQ(std::string(back), text);
}

TEST(SealedCopyTest, NothingCanNotBeCopied) {
  EXPECT_EQ(SealedCopy("copy", {}).status().code(), StatusCode::kInvalidArgument);
}

TEST(SealedCopyTest, EveryFailureIsTypedAndLeavesNothing) {
  const size_t fds = HeldFds();
  const std::string text(10000, 'x');
  int failures = 0;
  for (const fault::Op op : fault::kAllOps) {
    for (int nth = 1;; ++nth) {
      ASSERT_LT(nth, 1000);
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = ENOSPC});
      const Status status = SealedCopy("copy", std::as_bytes(std::span(text))).status();
      if (!plan.fired()) break;
      EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << fault::OpName(op) << nth;
      EXPECT_EQ(HeldFds(), fds);
      ++failures;
    }
  }
  EXPECT_GE(failures, 5);
}

}  // namespace
}  // namespace trims
