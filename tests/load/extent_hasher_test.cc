#include "load/extent_hasher.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>

#include "base/fault.h"
#include "base/sha256.h"
#include "loader_fixture.h"

namespace trims {
namespace {

using test::Bytes;

// By the number of threads.
class ExtentHasherTest : public ::testing::TestWithParam<size_t> {
 protected:
  ExtentHasherTest() {
    for (unsigned i = 0; i < 5; ++i) {
      contents_.push_back(Bytes(i * 3'000'000 + 1, i));
      extents_.push_back(std::as_bytes(std::span(contents_.back())));
      total_ += contents_.back().size();
    }
  }
  std::unique_ptr<ExtentHasher> Start() {
    return *ExtentHasher::Start(extents_, GetParam(), &control_);
  }
  void ExpectDigests(Result<std::vector<std::string>> digests) {
    ASSERT_TRUE(digests.ok()) << digests.status().ToString();
    ASSERT_EQ(digests->size(), extents_.size());
    for (size_t i = 0; i < extents_.size(); ++i) EXPECT_EQ((*digests)[i], Sha256Hex(extents_[i]));
    EXPECT_EQ(control_.bytes_done(), total_);
  }

  std::deque<std::string> contents_;
  ExtentHasher::Extents extents_;
  uint64_t total_ = 0;
  FillControl control_;
};

TEST_P(ExtentHasherTest, HashesWhatBecomesReadyBitByBit) {
  const std::unique_ptr<ExtentHasher> hasher = Start();
  for (size_t i = 0; i < extents_.size(); ++i) {
    for (uint64_t end = 0; end < extents_[i].size(); end += 1'000'000) hasher->Ready(i, end);
    hasher->Ready(i, extents_[i].size());
  }
  ExpectDigests(hasher->Finish());
}

TEST_P(ExtentHasherTest, ExtentsMayBecomeReadyInAnyOrder) {
  const std::unique_ptr<ExtentHasher> hasher = Start();
  for (size_t i = extents_.size(); i > 0; --i) hasher->Ready(i - 1, extents_[i - 1].size());
  ExpectDigests(hasher->Finish());
}

TEST_P(ExtentHasherTest, DestroyedEarlyItStops) {
  const std::unique_ptr<ExtentHasher> hasher = Start();
  hasher->Ready(0, extents_[0].size());
  hasher->Ready(1, 10);
}

TEST_P(ExtentHasherTest, ACancelledFillIsNotHashed) {
  const std::unique_ptr<ExtentHasher> hasher = Start();
  control_.Cancel();
  for (size_t i = 0; i < extents_.size(); ++i) hasher->Ready(i, extents_[i].size());
  EXPECT_EQ(hasher->Finish().status().code(), StatusCode::kCancelled);
  EXPECT_EQ(control_.bytes_done(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Threads, ExtentHasherTest, ::testing::Values(0, 1, 2));

TEST(ExtentHasherFaultTest, WithoutThreadsThereIsNone) {
  const std::string bytes = "12";
  const std::span<const std::byte> one = std::as_bytes(std::span(bytes));
  FillControl control;
  for (int nth = 1; nth <= 2; ++nth) {
    const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = nth, .error = EAGAIN});
    EXPECT_EQ(ExtentHasher::Start({one, one}, 2, &control).status().code(),
              StatusCode::kResourceExhausted);
    EXPECT_TRUE(plan.fired());
  }
}

}  // namespace
}  // namespace trims
