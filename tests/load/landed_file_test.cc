// A file that comes into memory piece by piece: its digests, and what it is at the end.
#include "load/landed_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/fault.h"
#include "base/mapping.h"
#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "support/content.h"

namespace trims {
namespace {

using test::Content;

constexpr size_t kStep = 3'000'000;

// As a download does: memory is reached, filled, and ready then.
void Fill(const std::string& content, LandedFile* landed) {
  for (size_t begin = 0; begin < content.size(); begin += kStep) {
    const size_t end = std::min(content.size(), begin + kStep);
    const Result<std::span<std::byte>> memory = landed->Reach(end);
    ASSERT_TRUE(memory.ok()) << memory.status().ToString();
    std::memcpy(memory->data() + begin, content.data() + begin, end - begin);
    landed->Ready(end);
  }
}

TEST(LandedFileTest, IsHashedBothWaysAndSealed) {
  for (const size_t length : {size_t{1}, size_t{4} << 20, (size_t{40} << 20) + 12345}) {
    SCOPED_TRACE(length);
    const std::string content = Content(length);
    const auto landed = LandedFile::Start("w", length, HugePagePolicy::kBest);
    ASSERT_TRUE(landed.ok()) << landed.status().ToString();
    Fill(content, landed->get());
    Result<LandedContent> done = (*landed)->Finish();
    ASSERT_TRUE(done.ok()) << done.status().ToString();
    const auto bytes = std::as_bytes(std::span(content));
    EXPECT_EQ(done->sha256, Sha256Hex(bytes));
    EXPECT_EQ(done->digests.sha256, TreeDigestOf(bytes));
    EXPECT_EQ(done->digests.xxh3, ChunkSumsOf(bytes));
    EXPECT_EQ(done->extent.length, length);
    const Result<Mapping> map = Mapping::OfFile(done->extent.fd.get(), length, PROT_READ);
    ASSERT_TRUE(map.ok());
    EXPECT_EQ(std::memcmp(map->data(), content.data(), length), 0);
  }
}

TEST(LandedFileTest, GivenUpItEnds) {
  const std::string content = Content(size_t{10} << 20);
  const auto landed = LandedFile::Start("w", content.size() * 2, HugePagePolicy::kSmall);
  ASSERT_TRUE(landed.ok());
  Fill(content, landed->get());
}

TEST(LandedFileTest, WithoutThreadsOrMemoryThereIsNone) {
  for (const auto& [op, error] :
       {std::pair(fault::Op::kMemfdCreate, EMFILE), std::pair(fault::Op::kThread, EAGAIN)}) {
    for (int nth = 1;; ++nth) {
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = error});
      const auto landed = LandedFile::Start("w", size_t{16} << 20, HugePagePolicy::kSmall);
      if (!plan.fired()) break;
      EXPECT_EQ(landed.status().code(), StatusCode::kResourceExhausted);
    }
  }
}

}  // namespace
}  // namespace trims
