#include "store/memory_watch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/mapping.h"
#include "base/pipe.h"
#include "loop/event_loop.h"
#include "store/memory_keepers.h"

namespace trims {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr size_t kBytes = 8192;

class MemoryWatchTest : public ::testing::Test {
 protected:
  static ResidentBytes Bytes() {
    const std::vector<std::byte> bytes(kBytes);
    ResidentBytes resident{.index = HandleOf(SealedCopy("index", bytes).value()), .extents = {}};
    resident.extents.push_back(HandleOf(SealedCopy("extent", bytes).value()));
    return resident;
  }

  void LetGo(ResidentBytes bytes) {
    watch_->LetGo(std::move(bytes), {.freed = [this] { freed_ = true, loop_->Stop(); },
                                     .kept =
                                         [this](std::vector<MemoryId> memory) {
                                           EXPECT_FALSE(freed_);
                                           kept_ = std::move(memory);
                                         }});
  }

  std::unique_ptr<EventLoop> loop_ = EventLoop::Create().value();
  std::unique_ptr<MemoryWatch> watch_ = MemoryWatch::Start(loop_.get()).value();
  bool freed_ = false;
  std::vector<MemoryId> kept_;
};

// A process that maps an extent of somebody's and has no descriptor of it.
class Mapper {
 public:
  explicit Mapper(int fd) {
    Pipe ready = MakePipe().value();
    pid_ = ::fork();
    if (pid_ == 0) {
      const void* mapped = ::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, fd, 0);
      const bool told = ::write(ready.write.get(), "", mapped == MAP_FAILED ? 0 : 1) == 1;
      ::close_range(0, ~0U, 0);
      if (told) ::pause();
      ::_exit(1);
    }
    ready.write.reset();
    char byte = 0;
    ready_ = ::read(ready.read.get(), &byte, 1) == 1;
    // Its descriptors are closed once the other end is.
    char more = 0;
    ready_ = ready_ && ::read(ready.read.get(), &more, 1) == 0;
  }
  ~Mapper() { End(); }
  bool ready() const { return ready_; }
  pid_t pid() const { return pid_; }
  void End() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
};

TEST_F(MemoryWatchTest, WhatNobodyElseHasIsFreeWhenItIsLetGoOf) {
  LetGo(Bytes());
  EXPECT_TRUE(freed_);
  EXPECT_THAT(kept_, IsEmpty());
}

TEST_F(MemoryWatchTest, WhatSomebodyMapsIsFreeWhenThatEnds) {
  ResidentBytes bytes = Bytes();
  Mapper mapper(bytes.extents[0].fd.get());
  ASSERT_TRUE(mapper.ready());
  LetGo(std::move(bytes));
  EXPECT_FALSE(freed_);
  ASSERT_THAT(kept_, SizeIs(1)) << "the extent";
  const std::vector<MemoryKeeper> keepers = FindMemoryKeepers(kept_);
  ASSERT_THAT(keepers, SizeIs(1));
  EXPECT_EQ(keepers[0].pid, mapper.pid());
  EXPECT_EQ(keepers[0].uid, ::getuid());
  EXPECT_TRUE(keepers[0].maps);
  EXPECT_FALSE(keepers[0].program.empty());
  EXPECT_TRUE(IsAlive(mapper.pid()));
  mapper.End();
  loop_->Run();  // until it is free
  EXPECT_TRUE(freed_);
  EXPECT_THAT(FindMemoryKeepers(kept_), IsEmpty());
}

TEST_F(MemoryWatchTest, ADescriptorKeepsThemAsWell) {
  ResidentBytes bytes = Bytes();
  const std::string path = "/proc/self/fd/" + std::to_string(bytes.extents[0].fd.get());
  UniqueFd by_path(::open(path.c_str(), O_PATH | O_CLOEXEC));
  ASSERT_TRUE(by_path);
  LetGo(std::move(bytes));
  EXPECT_FALSE(freed_);
  EXPECT_THAT(kept_, SizeIs(1));
  EXPECT_THAT(FindMemoryKeepers(kept_), IsEmpty()) << "this process is nobody else";
  by_path = UniqueFd();
  loop_->Run();
  EXPECT_TRUE(freed_);
}

TEST_F(MemoryWatchTest, AnIndexThatAnotherTierHasKeepsNothing) {
  ResidentBytes bytes = Bytes();
  const UniqueFd shared(::fcntl(bytes.index.fd.get(), F_DUPFD_CLOEXEC, 0));
  LetGo(std::move(bytes));
  EXPECT_TRUE(freed_);
}

TEST_F(MemoryWatchTest, EachResidenceIsToldOfItsOwnEnd) {
  ResidentBytes bytes = Bytes();
  Mapper mapper(bytes.extents[0].fd.get());
  ASSERT_TRUE(mapper.ready());
  LetGo(std::move(bytes));
  ASSERT_FALSE(freed_);
  bool other = false;
  watch_->LetGo(Bytes(), {.freed = [&] { other = true; }});
  EXPECT_TRUE(other);
  EXPECT_FALSE(freed_);
}

TEST_F(MemoryWatchTest, WhatTheKernelDoesNotWatchCountsAsFree) {
  ResidentBytes bytes = Bytes();
  Mapper mapper(bytes.extents[0].fd.get());
  ASSERT_TRUE(mapper.ready());
  const fault::ScopedPlan plan({.op = fault::Op::kWatch, .nth = 1, .error = ENOSPC, .count = 1000});
  LetGo(std::move(bytes));
  EXPECT_TRUE(plan.fired());
  EXPECT_TRUE(freed_);
}

TEST_F(MemoryWatchTest, WithoutAWatchWhatIsLetGoOfIsFree) {
  bool freed = false;
  LetGoOf(Bytes(), {.freed = [&] { freed = true; }}, nullptr);
  EXPECT_TRUE(freed);
}

}  // namespace
}  // namespace trims
