#include "load/read_engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "base/fault.h"
#include "loader_fixture.h"
#include "source/file_bytes.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::Bytes;

std::shared_ptr<const RandomAccess> OpenFile(const std::string& path) {
  return std::make_shared<const FileBytes>(*FileBytes::Open(path));
}

// A file that ends its reads only when the test says so.
class HeldFile final : public RandomAccess {
 public:
  const std::string& name() const override { return name_; }
  uint64_t size() const override { return 100; }
  Status ReadAt(uint64_t, std::span<std::byte>) const override {
    begun_ = true;
    begun_.notify_all();
    let_go_.wait();
    ++ended_;
    return Status();
  }
  mutable std::atomic<bool> begun_{false};
  mutable std::latch let_go_{1};
  mutable std::atomic<int> ended_{0};

 private:
  std::string name_ = "held";
};

// By the number of threads.
class ReadEngineTest : public ::testing::TestWithParam<int> {
 protected:
  std::unique_ptr<ReadEngine> Make() { return *MakePreadEngine(GetParam()); }
  test::ScratchFolder folder_;
};

TEST_P(ReadEngineTest, EveryReadEndsOnceWithItsBytes) {
  const std::string bytes = Bytes(100'000);
  const auto file = OpenFile(folder_.Write("f", bytes));
  const std::unique_ptr<ReadEngine> engine = Make();
  std::string read(bytes.size(), '\0');
  std::set<size_t> ended;
  const auto reap = [&] {
    const ReadDone done = engine->Wait();
    EXPECT_TRUE(done.status.ok());
    EXPECT_TRUE(ended.insert(done.tag).second);
  };
  for (size_t i = 0; i < 100; ++i) {
    while (engine->full()) reap();
    const std::span<std::byte> all = std::as_writable_bytes(std::span(read));
    engine->Submit({file, i * 1000, all.subspan(i * 1000, 1000), i});
    EXPECT_LE(engine->in_flight(), engine->depth());
  }
  while (engine->in_flight() > 0) reap();
  EXPECT_EQ(ended.size(), 100u);
  EXPECT_TRUE(read == bytes);
}

TEST_P(ReadEngineTest, AReadThatFailsSaysSoAndTouchesNoOther) {
  const auto file = OpenFile(folder_.Write("f", Bytes(1000)));
  const std::unique_ptr<ReadEngine> engine = Make();
  std::vector<std::byte> good(1000);
  std::vector<std::byte> bad(1001);
  for (int i = 0; i < 2; ++i) {
    const bool fails = i == 0;
    engine->Submit({file, 0, fails ? std::span(bad) : std::span(good), fails ? 1u : 2u});
    const ReadDone done = engine->Wait();
    EXPECT_EQ(done.tag, fails ? 1u : 2u);
    EXPECT_EQ(done.status.code(), fails ? StatusCode::kDataLoss : StatusCode::kOk);
  }
}

TEST_P(ReadEngineTest, InjectedFaultsComeBackTyped) {
  const auto file = OpenFile(folder_.Write("f", Bytes(1000)));
  const std::unique_ptr<ReadEngine> engine = Make();
  std::vector<std::byte> bytes(1000);
  const fault::ScopedPlan plan({.op = fault::Op::kRead, .error = EIO});
  engine->Submit({file, 0, bytes, 0});
  EXPECT_EQ(engine->Wait().status.code(), StatusCode::kDataLoss);
  EXPECT_TRUE(plan.fired());
}

TEST_P(ReadEngineTest, WhatIsReapedKeepsNoFileOpen) {
  const size_t fds = test::HeldFds();
  auto file = OpenFile(folder_.Write("f", Bytes(1000)));
  std::vector<std::byte> bytes(1000);
  {
    const std::unique_ptr<ReadEngine> engine = Make();
    engine->Submit({std::move(file), 0, bytes, 0});
    EXPECT_TRUE(engine->Wait().status.ok());
    EXPECT_EQ(test::HeldFds(), fds);
    engine->Submit({OpenFile(folder_ / "f"), 0, bytes, 1});  // never reaped
  }
  EXPECT_EQ(test::HeldFds(), fds);
}

INSTANTIATE_TEST_SUITE_P(Threads, ReadEngineTest, ::testing::Values(0, 1, 3));

TEST(PreadEngineTest, DestructionWaitsForWhatHasBegun) {
  const auto file = std::make_shared<const HeldFile>();
  std::vector<std::byte> bytes(100);
  std::unique_ptr<ReadEngine> engine = *MakePreadEngine(1);
  engine->Submit({file, 0, bytes, 0});
  file->begun_.wait(false);
  std::thread destroyer([&] { engine.reset(); });
  file->let_go_.count_down();
  destroyer.join();
  EXPECT_EQ(file->ended_, 1);
  EXPECT_EQ(file.use_count(), 1) << "the engine still holds the file";
}

TEST(PreadEngineTest, WithoutThreadsThereIsNone) {
  for (int nth = 1; nth <= 2; ++nth) {
    const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = nth, .error = EAGAIN});
    EXPECT_EQ(MakePreadEngine(2).status().code(), StatusCode::kResourceExhausted);
    EXPECT_TRUE(plan.fired());
  }
}

}  // namespace
}  // namespace trims
