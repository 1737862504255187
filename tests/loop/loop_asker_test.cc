#include "loop/loop_asker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <thread>
#include <vector>

#include "loop/event_loop.h"

namespace trims {
namespace {

constexpr std::chrono::seconds kLong{60};
constexpr std::chrono::milliseconds kShort{1};

class LoopAskerTest : public ::testing::Test {
 protected:
  void Run() {
    thread_ = std::thread([loop = loop_.get()] { loop->Run(); });
  }
  void Stop() {
    loop_->Stop();
    thread_.join();
  }
  ~LoopAskerTest() override {
    if (thread_.joinable()) Stop();
  }
  // Keeps the loop busy until `busy_` is let go.
  void Occupy() {
    std::latch begun(1);
    loop_->Post([this, &begun] {
      begun.count_down();
      busy_.wait();
    });
    begun.wait();
  }

  std::latch busy_{1};
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  const LoopAsker asker_ = loop_->asker();
  std::thread thread_;
};

TEST_F(LoopAskerTest, TheAnswerIsTheCallsOwnFromTheLoopsThread) {
  Run();
  const auto thread = asker_.Ask([] { return std::this_thread::get_id(); }, kLong);
  ASSERT_TRUE(thread.ok());
  EXPECT_EQ(*thread, thread_.get_id());
  bool ran = false;
  EXPECT_TRUE(asker_.Ask([&] { ran = true; }, kLong).ok());
  EXPECT_TRUE(ran);
  const Result<std::unique_ptr<int>> owned =
      asker_.Ask([] { return std::make_unique<int>(7); }, kLong);
  EXPECT_EQ(**owned, 7);
}

TEST_F(LoopAskerTest, ErrorsOfTheCallAreTheAnswer) {
  Run();
  const Status no(StatusCode::kNotFound, "no such model");
  EXPECT_EQ(asker_.Ask([&] { return no; }, kLong), no);
  EXPECT_EQ(asker_.Ask([&] { return Result<int>(no); }, kLong).status(), no);
  EXPECT_EQ(*asker_.Ask([&] { return Result<int>(3); }, kLong), 3);
}

TEST_F(LoopAskerTest, ManyThreadsMayAsk) {
  Run();
  int count = 0;  // only the loop writes
  std::vector<std::thread> askers;
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back([&] {
      for (int j = 0; j < 100; ++j) EXPECT_TRUE(asker_.Ask([&] { return ++count; }, kLong).ok());
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(count, 400);
}

TEST_F(LoopAskerTest, ALoopThatDoesNotRunYetIsWaitedFor) {
  std::thread runner;
  const Result<int> answer = [&] {
    runner = std::thread([&] { loop_->Run(); });
    return asker_.Ask([] { return 1; }, kLong);
  }();
  EXPECT_EQ(*answer, 1);
  loop_->Stop();
  runner.join();
}

TEST_F(LoopAskerTest, ACallThatIsLateNeverRuns) {
  bool ran = false;
  EXPECT_EQ(asker_.Ask([&] { ran = true; }, kShort).code(), StatusCode::kDeadlineExceeded);
  Run();
  EXPECT_TRUE(asker_.Ask([] {}, kLong).ok());
  EXPECT_FALSE(ran);
}

TEST_F(LoopAskerTest, ACallThatHasBegunIsWaitedForBeyondItsDeadline) {
  Run();
  bool ended = false;
  // On a machine so busy that the call had not begun in time, it never does: once more, with more.
  for (Duration deadline = kShort; !ended; deadline *= 2) {
    const auto late = std::chrono::steady_clock::now() + deadline + std::chrono::milliseconds(5);
    const Status status = asker_.Ask(
        [&] {
          while (std::chrono::steady_clock::now() < late) {
          }
          ended = true;
        },
        deadline);
    ASSERT_EQ(status.code(), ended ? StatusCode::kOk : StatusCode::kDeadlineExceeded);
  }
}

TEST_F(LoopAskerTest, OnTheLoopsOwnThreadItIsAnErrorAndNoDeadlock) {
  Run();
  const Status status =
      asker_.Ask([&] { return asker_.Ask([] { return 1; }, kLong).status(); }, kLong);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
}

TEST_F(LoopAskerTest, WhatHasNotBegunWhenTheLoopStopsIsUnavailable) {
  Run();
  Occupy();
  bool ran = false;
  Status status;
  std::thread asker([&] { status = asker_.Ask([&] { ran = true; }, kLong); });
  loop_->Stop();
  busy_.count_down();
  asker.join();
  thread_.join();
  // Whether it was asked before the stop or after, its turn would have come after it.
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_FALSE(ran);
}

TEST_F(LoopAskerTest, AStoppedLoopIsUnavailableAtOnceUntilItRunsAgain) {
  Run();
  ASSERT_TRUE(asker_.Ask([] {}, kLong).ok());  // it has begun, so that Stop() is what ends it
  Stop();
  EXPECT_EQ(asker_.Ask([] {}, kLong).code(), StatusCode::kUnavailable);
  Run();
  loop_->Post([] {});
  while (!asker_.Ask([] {}, kLong).ok()) {  // until its thread has begun
  }
}

TEST_F(LoopAskerTest, ALoopThatIsGoneIsUnavailable) {
  loop_.reset();
  EXPECT_EQ(asker_.Ask([] { return 1; }, kLong).status().code(), StatusCode::kUnavailable);
}

TEST_F(LoopAskerTest, ALoopThatGoesWhileItIsAskedIsUnavailable) {
  Status status;
  bool ran = false;
  std::thread asker([&] { status = asker_.Ask([&] { ran = true; }, kLong); });
  loop_.reset();  // before or after the question
  asker.join();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace trims
