#include "base/mapping.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <vector>

#include "base/fault.h"
#include "base/sys.h"
#include "base/unique_fd.h"
#include "support/open_fds.h"

namespace trims {
namespace {

using test::OpenFds;

UniqueFd FileOf(size_t size, char first) {
  UniqueFd fd = sys::MemfdCreate("test", MFD_CLOEXEC);
  EXPECT_EQ(sys::Ftruncate(fd.get(), static_cast<off_t>(size)), 0);
  EXPECT_EQ(::pwrite(fd.get(), &first, 1, 0), 1);
  return fd;
}

bool IsMapped(const void* address) {
  unsigned char resident;
  return ::mincore(const_cast<void*>(address), 1, &resident) == 0;
}

TEST(MappingTest, MapsAFileAndUnmapsIt) {
  const UniqueFd fd = FileOf(kPageSize, 'a');
  const std::byte* start = nullptr;
  {
    const Mapping mapping = Mapping::OfFile(fd.get(), kPageSize, PROT_READ).value();
    start = mapping.data();
    EXPECT_EQ(mapping.bytes()[0], std::byte{'a'});
    EXPECT_TRUE(IsMapped(start));
  }
  EXPECT_FALSE(IsMapped(start));
}

TEST(MappingTest, AMoveLeavesOneOwner) {
  const UniqueFd fd = FileOf(kPageSize, 'a');
  Mapping first = Mapping::OfFile(fd.get(), kPageSize, PROT_READ).value();
  Mapping second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move)
  const std::byte* start = second.data();
  second = Mapping();
  EXPECT_FALSE(IsMapped(start));
}

TEST(MappingTest, AnAlignedFileNeedsOneCallWhereTheLastOneLay) {
  const UniqueFd fd = FileOf(kHugePageSize + 1, 'a');
  const auto map = [&] {
    return Mapping::OfFileAligned(fd.get(), kHugePageSize + 1, kHugePageSize, PROT_READ);
  };
  const std::byte* start = map().value().data();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(start) % kHugePageSize, 0U);
  const fault::ScopedPlan plan({.op = fault::Op::kMmap, .nth = 2, .error = ENOMEM});
  const Mapping again = map().value();
  EXPECT_EQ(again.data(), start);
  EXPECT_EQ(again.size(), 2 * kHugePageSize);
  EXPECT_EQ(again.bytes()[0], std::byte{'a'});
  EXPECT_FALSE(plan.fired());
}

TEST(MappingTest, AnAlignedFileTakesNobodysPlace) {
  const UniqueFd a = FileOf(kPageSize, 'a');
  const UniqueFd b = FileOf(kPageSize, 'b');
  std::vector<Mapping> mappings;
  for (const UniqueFd* fd : {&a, &b, &a, &b}) {
    mappings.push_back(
        Mapping::OfFileAligned(fd->get(), kPageSize, kHugePageSize, PROT_READ).value());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(mappings.back().data()) % kHugePageSize, 0U);
  }
  for (size_t i = 0; i < mappings.size(); ++i) {
    EXPECT_EQ(mappings[i].bytes()[0], i % 2 == 0 ? std::byte{'a'} : std::byte{'b'});
  }
}

TEST(MappingTest, ExtentsLieSideBySideInAReservation) {
  const UniqueFd a = FileOf(kPageSize, 'a');
  const UniqueFd b = FileOf(kPageSize, 'b');
  Mapping range = Mapping::Reserve(kHugePageSize + 1, kHugePageSize).value();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(range.data()) % kHugePageSize, 0U);
  EXPECT_GE(range.size(), kHugePageSize + kPageSize);
  ASSERT_TRUE(range.MapInto(0, kPageSize, a.get(), PROT_READ).ok());
  ASSERT_TRUE(range.MapInto(kHugePageSize, kPageSize, b.get(), PROT_READ).ok());
  EXPECT_EQ(range.bytes()[0], std::byte{'a'});
  EXPECT_EQ(range.bytes()[kHugePageSize], std::byte{'b'});
}

// The kernel keeps the smaller of these by itself, the larger have to be cut out of something
// larger.
TEST(MappingTest, AReservationKeepsItsAlignmentAndHasItsWholeLength) {
  const UniqueFd fd = FileOf(kPageSize, 'a');
  for (const size_t alignment : {kPageSize, kHugePageSize, size_t{1} << 26, size_t{1} << 30}) {
    Mapping range = Mapping::Reserve(alignment + 1, alignment).value();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(range.data()) % alignment, 0U);
    EXPECT_EQ(range.size(), 2 * alignment);
    ASSERT_TRUE(range.MapInto(range.size() - kPageSize, kPageSize, fd.get(), PROT_READ).ok());
    EXPECT_EQ(range.bytes()[range.size() - kPageSize], std::byte{'a'});
    const std::byte* last = range.data() + range.size() - kPageSize;
    range = Mapping();
    EXPECT_FALSE(IsMapped(last));
  }
}

TEST(MappingTest, WhatDoesNotFitIsRefused) {
  const UniqueFd fd = FileOf(kPageSize, 'a');
  Mapping range = Mapping::Reserve(kPageSize, kPageSize).value();
  for (const auto& [offset, size] : {std::pair<size_t, size_t>{0, kPageSize + 1},
                                     {kPageSize, 1},
                                     {SIZE_MAX, 1},
                                     {1, 1},
                                     {0, SIZE_MAX}}) {
    EXPECT_EQ(range.MapInto(offset, size, fd.get(), PROT_READ).code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(Mapping::Reserve(SIZE_MAX, kHugePageSize).status().code(), StatusCode::kTooLarge);
}

TEST(MappingTest, ARefusedMmapIsTyped) {
  const UniqueFd fd = FileOf(kPageSize, 'a');
  const fault::ScopedPlan plan({.op = fault::Op::kMmap, .nth = 1, .error = ENOMEM, .count = 3});
  EXPECT_EQ(Mapping::OfFile(fd.get(), kPageSize, PROT_READ).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(Mapping::Reserve(kPageSize, kPageSize).status().code(), StatusCode::kResourceExhausted);
}

TEST(AlignUpTest, RoundsToMultiples) {
  EXPECT_EQ(AlignUp(0, 256), 0U);
  EXPECT_EQ(AlignUp(1, 256), 256U);
  EXPECT_EQ(AlignUp(256, 256), 256U);
}

TEST(UniqueFdTest, OwnsOne) {
  const size_t before = OpenFds();
  {
    UniqueFd fd = FileOf(1, 'a');
    UniqueFd copy(::dup(fd.get()));
    EXPECT_EQ(OpenFds(), before + 2);
    fd = std::move(copy);
    EXPECT_EQ(OpenFds(), before + 1);
    EXPECT_FALSE(copy);  // NOLINT(bugprone-use-after-move)
  }
  EXPECT_EQ(OpenFds(), before);
}

}  // namespace
}  // namespace trims
