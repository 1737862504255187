#include "load/read_engine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "base/fault.h"
#include "base/mapping.h"
#include "base/unique_fd.h"
#include "loader_fixture.h"
#include "source/file_bytes.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::Bytes;

std::shared_ptr<const RandomAccess> OpenFile(const std::string& path) {
  return std::make_shared<const FileBytes>(*FileBytes::Open(path));
}

// Where the file system has a page cache; on others there is nothing to drop.
void DropFromPageCache(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(fdatasync(fd.get()), 0);
  ASSERT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
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

// By the number of threads; kRing is the engine without any of its own.
constexpr int kRing = -1;
class ReadEngineTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (GetParam() == kRing && !ProbeReadEngine().uring.ok()) GTEST_SKIP() << "no io_uring here";
  }
  std::unique_ptr<ReadEngine> Make() {
    return GetParam() == kRing ? *MakeUringEngine() : *MakePreadEngine(GetParam());
  }
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
  folder_.Write("f", Bytes(1000));
  std::vector<std::byte> bytes(1000);
  {
    const std::unique_ptr<ReadEngine> engine = Make();
    const size_t with_engine = test::HeldFds();
    engine->Submit({OpenFile(folder_ / "f"), 0, bytes, 0});
    EXPECT_TRUE(engine->Wait().status.ok());
    EXPECT_EQ(test::HeldFds(), with_engine);
    engine->Submit({OpenFile(folder_ / "f"), 0, bytes, 1});  // never reaped
  }
  EXPECT_EQ(test::HeldFds(), fds);
}

TEST_P(ReadEngineTest, ReadsThatEndEarlyAreContinued) {
  const std::string bytes = Bytes(300'000);
  const auto file = OpenFile(folder_.Write("f", bytes));
  const std::unique_ptr<ReadEngine> engine = Make();
  std::string read(bytes.size(), '\0');
  const fault::ScopedPlan plan({.op = fault::Op::kShortRead, .count = 3});
  engine->Submit({file, 0, std::as_writable_bytes(std::span(read)), 0});
  EXPECT_TRUE(engine->Wait().status.ok());
  EXPECT_TRUE(plan.fired());
  EXPECT_TRUE(read == bytes);
}

TEST_P(ReadEngineTest, AFileThatWasCutIsTyped) {
  const auto file = OpenFile(folder_.Write("f", Bytes(300'000)));
  std::filesystem::resize_file(folder_ / "f", 100'000);
  const std::unique_ptr<ReadEngine> engine = Make();
  std::vector<std::byte> read(300'000);
  engine->Submit({file, 0, read, 0});
  const Status status = engine->Wait().status;
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_TRUE(status.message().find("is 100000 bytes, expected at least") != std::string::npos)
      << status.ToString();
}

TEST_P(ReadEngineTest, DirectReadsThatAreRefusedAreMadeOtherwise) {
  const std::string bytes = Bytes(3'000'001);
  const std::string path = folder_.Write("f", bytes);
  const std::unique_ptr<ReadEngine> engine = Make();
  Result<Mapping> read = Mapping::Reserve(kHugePageSize * 2, kHugePageSize);
  ASSERT_TRUE(read.ok() && mprotect(read->data(), read->size(), PROT_READ | PROT_WRITE) == 0);
  for (const int error : {EINVAL, EOPNOTSUPP}) {
    DropFromPageCache(path);
    const auto file = OpenFile(path);
    if (!file->DescriptorFor(0, {read->data(), kHugePageSize}).direct)
      GTEST_SKIP() << "no O_DIRECT";
    const fault::ScopedPlan plan({.op = fault::Op::kRead, .error = error});
    engine->Submit({file, 0, {read->data(), bytes.size()}, 0});
    EXPECT_TRUE(engine->Wait().status.ok());
    EXPECT_TRUE(std::memcmp(read->data(), bytes.data(), bytes.size()) == 0);
  }
}

TEST_P(ReadEngineTest, ReadsInFlightEndBeforeTheEngine) {
  const std::string bytes = Bytes(8'000'000);
  const std::string path = folder_.Write("f", bytes);
  DropFromPageCache(path);
  std::string read(bytes.size(), '\0');
  const auto file = OpenFile(path);
  {
    const std::unique_ptr<ReadEngine> engine = Make();
    for (size_t at = 0; at < bytes.size() && !engine->full(); at += 1'000'000) {
      engine->Submit(
          {file, at, std::as_writable_bytes(std::span(read)).subspan(at, 1'000'000), at});
    }
  }
  EXPECT_EQ(file.use_count(), 1) << "the engine still holds the file";
  const std::string untouched(read.size(), 'x');
  read = untouched;  // whoever still wrote would be seen here by a sanitizer, and by the next line
  EXPECT_TRUE(read == untouched);
}

TEST_P(ReadEngineTest, BytesThatHaveNoDescriptorAreReadToo) {
  const std::string bytes = Bytes(3'000'000);
  const auto memory = std::make_shared<const SpanBytes>(std::as_bytes(std::span(bytes)));
  const std::unique_ptr<ReadEngine> engine = Make();
  std::string read(bytes.size(), '\0');
  engine->Submit({memory, 0, std::as_writable_bytes(std::span(read)), 5});
  const ReadDone done = engine->Wait();
  EXPECT_EQ(done.tag, 5u);
  EXPECT_TRUE(done.status.ok());
  EXPECT_TRUE(read == bytes);
}

TEST_P(ReadEngineTest, ManyLargeReadsAtOnce) {
  const std::string bytes = Bytes(20'000'000);
  const std::string path = folder_.Write("f", bytes);
  DropFromPageCache(path);
  const auto file = OpenFile(path);
  const std::unique_ptr<ReadEngine> engine = Make();
  std::string read(bytes.size() * 8, '\0');  // more than the kernel is given at a time
  const std::span<std::byte> all = std::as_writable_bytes(std::span(read));
  for (size_t i = 0; i < 8; ++i) {
    if (engine->full()) {
      EXPECT_TRUE(engine->Wait().status.ok());
    }
    engine->Submit({file, 0, all.subspan(i * bytes.size(), bytes.size()), i});
  }
  while (engine->in_flight() > 0) EXPECT_TRUE(engine->Wait().status.ok());
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_TRUE(std::string_view(read).substr(i * bytes.size(), bytes.size()) == bytes) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ReadEngineTest, ::testing::Values(0, 1, 3, kRing));

class UringEngineTest : public ReadEngineTest {};

// From the nth submission on the ring takes nothing: what it had is waited for, the rest is read here.
TEST_P(UringEngineTest, WhatTheKernelDoesNotTakeIsReadAllTheSame) {
  const std::string bytes = Bytes(5'000'000);
  const std::string path = folder_.Write("f", bytes);
  for (int nth = 1;; ++nth) {
    DropFromPageCache(path);
    const auto file = OpenFile(path);
    const std::unique_ptr<ReadEngine> engine = Make();
    std::string read(bytes.size(), '\0');
    const fault::ScopedPlan plan({.op = fault::Op::kRingSubmit, .nth = nth, .error = EAGAIN});
    for (size_t at = 0; at < bytes.size(); at += 1'000'000) {
      engine->Submit(
          {file, at, std::as_writable_bytes(std::span(read)).subspan(at, 1'000'000), at});
    }
    while (engine->in_flight() > 0) EXPECT_TRUE(engine->Wait().status.ok());
    EXPECT_TRUE(read == bytes) << nth;
    if (!plan.fired()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Ring, UringEngineTest, ::testing::Values(kRing));

TEST(ReadEngineChoiceTest, WhereIoUringIsRefusedThreadsRead) {
  for (const int error : {ENOSYS, EPERM}) {
    const fault::ScopedPlan plan({.op = fault::Op::kRingSetup, .error = error, .count = 3});
    const ReadEngineSupport support = ProbeReadEngine();
    EXPECT_EQ(support.kind, ReadEngineKind::kPread);
    EXPECT_EQ(support.uring.code(),
              error == ENOSYS ? StatusCode::kUnimplemented : StatusCode::kPermissionDenied);
    EXPECT_FALSE(MakeUringEngine().ok());
    EXPECT_EQ((*MakeReadEngine(ReadEngineKind::kUring, 0))->depth(), 1u) << "not that of pread";
  }
}

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
