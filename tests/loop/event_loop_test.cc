#include "loop/event_loop.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <vector>

namespace trims {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class EventLoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    read_end_.reset(ends[0]);
    write_end_.reset(ends[1]);
  }

  void WriteByte() { ASSERT_EQ(::write(write_end_.get(), "x", 1), 1); }
  void ReadByte() {
    char byte;
    ASSERT_EQ(::read(read_end_.get(), &byte, 1), 1);
  }

  const std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  UniqueFd read_end_;
  UniqueFd write_end_;
};

TEST_F(EventLoopTest, RunsTimersInTheOrderOfTheirTimes) {
  std::vector<int> fired;
  loop_->CallAfter(milliseconds(200), [&] {
    fired.push_back(2);
    loop_->Stop();
  });
  loop_->CallAfter(milliseconds(100), [&] { fired.push_back(1); });
  loop_->CallAfter(milliseconds(-5), [&] { fired.push_back(0); });
  loop_->Run();
  EXPECT_THAT(fired, ElementsAre(0, 1, 2));
}

TEST_F(EventLoopTest, AStopBeforeTheRunIsNotLostAndCountsOnce) {
  loop_->Stop();
  loop_->Run();
  bool fired = false;
  loop_->CallAfter(milliseconds(0), [&] {
    fired = true;
    loop_->Stop();
  });
  loop_->Run();
  EXPECT_TRUE(fired);
}

TEST_F(EventLoopTest, ACancelledTimerNeverFires) {
  bool fired = false;
  const uint64_t early = loop_->CallAfter(milliseconds(0), [&] { fired = true; });
  uint64_t due = 0;
  // Both are due in the same turn: the first to run cancels the other.
  loop_->CallAfter(milliseconds(1), [&] { loop_->Cancel(due); });
  due = loop_->CallAfter(milliseconds(1), [&] { fired = true; });
  loop_->Cancel(early);
  loop_->Cancel(12345);  // no such timer
  loop_->CallAfter(milliseconds(3), [&] { loop_->Stop(); });
  loop_->Run();
  EXPECT_FALSE(fired);
}

TEST_F(EventLoopTest, RunsWhatOtherThreadsPostInTheirOrder) {
  std::vector<int> ran;
  std::thread poster([&] {
    for (int i = 0; i < 100; ++i) loop_->Post([&ran, i] { ran.push_back(i); });
    loop_->Post([&] { loop_->Stop(); });
  });
  loop_->Run();
  poster.join();
  ASSERT_EQ(ran.size(), 100u);
  EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

TEST_F(EventLoopTest, DestroysWhatWasPostedAndNeverRan) {
  auto token = std::make_shared<int>(1);
  {
    const std::unique_ptr<EventLoop> loop = *EventLoop::Create();
    loop->Post([token] {});
    loop->CallAfter(milliseconds(0), [token] {});
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(EventLoopTest, ReportsADescriptorAsLongAsItIsReadable) {
  int calls = 0;
  auto watch = loop_->WatchReadable(read_end_.get(), [&] {
    if (++calls < 3) return;  // unread, so reported again
    ReadByte();
    loop_->Stop();
  });
  ASSERT_TRUE(watch.ok());
  WriteByte();
  loop_->Run();
  EXPECT_EQ(calls, 3);
}

TEST_F(EventLoopTest, AWatchMayEndInsideItsOwnCall) {
  std::unique_ptr<FdWatch> watch;
  int calls = 0;
  auto made = loop_->WatchReadable(read_end_.get(), [&, keep = std::make_shared<int>(7)] {
    watch.reset();
    calls += *keep;  // what the call captured is still there
    loop_->CallAfter(milliseconds(1), [&] { loop_->Stop(); });
  });
  ASSERT_TRUE(made.ok());
  watch = *std::move(made);
  WriteByte();
  loop_->Run();
  EXPECT_EQ(calls, 7);
}

TEST_F(EventLoopTest, ReportsTheEndOfAPipe) {
  bool reported = false;
  auto watch = loop_->WatchReadable(read_end_.get(), [&] {
    reported = true;
    loop_->Stop();
  });
  ASSERT_TRUE(watch.ok());
  write_end_.reset();
  loop_->Run();
  EXPECT_TRUE(reported);
}

TEST_F(EventLoopTest, RefusesToWatchWhatIsNoDescriptor) {
  const auto watch = loop_->WatchReadable(-1, [] {});
  ASSERT_FALSE(watch.ok());
}

TEST_F(EventLoopTest, SaysWhichSignalCame) {
  int came = 0;
  ASSERT_TRUE(loop_
                  ->OnSignals({SIGUSR1},
                              [&](int signal) {
                                came = signal;
                                loop_->Stop();
                              })
                  .ok());
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  loop_->Run();
  EXPECT_EQ(came, SIGUSR1);
}

TEST_F(EventLoopTest, OneLoopAtATimeCatchesSignals) {
  ASSERT_TRUE(loop_->OnSignals({SIGUSR1}, [](int) {}).ok());
  const std::unique_ptr<EventLoop> other = *EventLoop::Create();
  EXPECT_EQ(other->OnSignals({SIGUSR1}, [](int) {}).code(), StatusCode::kFailedPrecondition);
}

TEST_F(EventLoopTest, WhatSignalsDidIsInForceAgainAfterTheLoop) {
  struct sigaction before;
  struct sigaction after;
  ASSERT_EQ(::sigaction(SIGUSR1, nullptr, &before), 0);
  {
    const std::unique_ptr<EventLoop> loop = *EventLoop::Create();
    ASSERT_TRUE(loop->OnSignals({SIGUSR1}, [](int) {}).ok());
  }
  ASSERT_EQ(::sigaction(SIGUSR1, nullptr, &after), 0);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
}

TEST_F(EventLoopTest, ACallMayPostAndAddTimersForLater) {
  std::vector<int> ran;
  loop_->Post([&] {
    loop_->CallAfter(milliseconds(0), [&] {
      ran.push_back(2);
      loop_->CallAfter(std::chrono::hours(1'000'000), [] {});
      loop_->CallAfter(milliseconds(1), [&] { loop_->Stop(); });
    });
    ran.push_back(1);
  });
  loop_->Run();
  EXPECT_THAT(ran, ElementsAre(1, 2));
}

TEST_F(EventLoopTest, RunsAgainAfterAStopFromAnotherThread) {
  std::thread([&] { loop_->Post([&] { loop_->Stop(); }); }).join();
  loop_->Run();
  bool ran = false;
  loop_->Post([&] {
    ran = true;
    loop_->Stop();
  });
  loop_->Run();
  EXPECT_TRUE(ran);
}

TEST_F(EventLoopTest, OneOfABatchMayRemoveAnother) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd other_read(ends[0]);
  const UniqueFd other_write(ends[1]);
  FdPoller& poller = loop_->poller();
  uint64_t first = 0;
  uint64_t second = 0;
  int calls = 0;
  const auto remove_both = [&](unsigned) {
    ++calls;
    poller.Remove(first);
    poller.Remove(second);
  };
  first = poller.Add(read_end_.get(), FdPoller::kRead, remove_both);
  second = poller.Add(other_read.get(), FdPoller::kRead, remove_both);
  WriteByte();
  ASSERT_EQ(::write(other_write.get(), "x", 1), 1);
  poller.RunBatch();
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, WithoutInterestOnlyAHangUpIsReported) {
  unsigned seen = 0;
  const uint64_t watch =
      loop_->poller().Add(read_end_.get(), 0, [&](unsigned ready) { seen |= ready; });
  WriteByte();
  loop_->poller().RunBatch();
  EXPECT_EQ(seen, 0u);
  write_end_.reset();
  loop_->poller().RunBatch();
  EXPECT_TRUE(seen & FdPoller::kHangUp);
  loop_->poller().Remove(watch);
}

}  // namespace
}  // namespace trims
