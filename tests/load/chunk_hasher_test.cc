#include "load/chunk_hasher.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>

#include "base/fault.h"
#include "format/chunk_digests.h"
#include "loader_fixture.h"

namespace trims {
namespace {

using test::Bytes;

// By the number of threads.
class ChunkHasherTest : public ::testing::TestWithParam<size_t> {
 protected:
  ChunkHasherTest() {
    for (unsigned i = 0; i < 5; ++i) {
      contents_.push_back(Bytes(i * 3'000'000 + 1, i));
      extents_.push_back({std::as_bytes(std::span(contents_.back())),
                          i % 2 == 0 ? DigestKind::kXxh3 : DigestKind::kSha256});
      total_ += contents_.back().size();
    }
  }
  std::unique_ptr<ChunkHasher> Start() {
    return *ChunkHasher::Start(extents_, GetParam(), &control_);
  }
  void ExpectDigests(Result<std::vector<ExtentDigests>> digests) {
    ASSERT_TRUE(digests.ok()) << digests.status().ToString();
    ASSERT_EQ(digests->size(), extents_.size());
    for (size_t i = 0; i < extents_.size(); ++i) {
      const auto& [bytes, kind] = extents_[i];
      const bool tree = kind == DigestKind::kSha256;
      EXPECT_EQ((*digests)[i].sha256, tree ? TreeDigestOf(bytes) : "");
      EXPECT_EQ((*digests)[i].xxh3, tree ? std::vector<uint64_t>{} : ChunkSumsOf(bytes));
    }
    EXPECT_EQ(control_.bytes_done(), total_);
  }

  std::deque<std::string> contents_;
  std::vector<ChunkHasher::Extent> extents_;
  uint64_t total_ = 0;
  FillControl control_;
};

TEST_P(ChunkHasherTest, HashesWhatBecomesReadyBitByBit) {
  const std::unique_ptr<ChunkHasher> hasher = Start();
  for (size_t i = 0; i < extents_.size(); ++i) {
    for (uint64_t end = 0; end < extents_[i].bytes.size(); end += 1'000'000) hasher->Ready(i, end);
    hasher->Ready(i, extents_[i].bytes.size());
  }
  ExpectDigests(hasher->Finish());
}

TEST_P(ChunkHasherTest, ExtentsMayBecomeReadyInAnyOrder) {
  const std::unique_ptr<ChunkHasher> hasher = Start();
  for (size_t i = extents_.size(); i > 0; --i) hasher->Ready(i - 1, extents_[i - 1].bytes.size());
  ExpectDigests(hasher->Finish());
}

TEST_P(ChunkHasherTest, DestroyedEarlyItStops) {
  const std::unique_ptr<ChunkHasher> hasher = Start();
  hasher->Ready(0, extents_[0].bytes.size());
  hasher->Ready(1, 10);
}

TEST_P(ChunkHasherTest, ACancelledFillIsNotHashed) {
  const std::unique_ptr<ChunkHasher> hasher = Start();
  control_.Cancel();
  for (size_t i = 0; i < extents_.size(); ++i) hasher->Ready(i, extents_[i].bytes.size());
  EXPECT_EQ(hasher->Finish().status().code(), StatusCode::kCancelled);
  EXPECT_EQ(control_.bytes_done(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Threads, ChunkHasherTest, ::testing::Values(0, 1, 2));

TEST(ChunkHasherFaultTest, WithoutThreadsThereIsNone) {
  const std::string bytes = "12";
  const ChunkHasher::Extent one{std::as_bytes(std::span(bytes)), DigestKind::kXxh3};
  FillControl control;
  for (int nth = 1; nth <= 2; ++nth) {
    const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = nth, .error = EAGAIN});
    EXPECT_EQ(ChunkHasher::Start({one, one}, 2, &control).status().code(),
              StatusCode::kResourceExhausted);
    EXPECT_TRUE(plan.fired());
  }
}

}  // namespace
}  // namespace trims
