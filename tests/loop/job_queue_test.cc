#include "loop/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <latch>
#include <memory>
#include <numeric>
#include <vector>

#include "base/fault.h"
#include "loop/worker.h"

namespace trims {
namespace {

std::unique_ptr<JobQueue> Start(int threads) { return *JobQueue::Start(threads); }

TEST(JobQueueTest, OneThreadKeepsTheOrderAndDestructionRunsWhatIsLeft) {
  std::vector<int> ran;
  {
    const std::unique_ptr<JobQueue> queue = Start(1);
    for (int i = 0; i < 100; ++i) queue->Push([&ran, i] { ran.push_back(i); });
  }
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(ran, expected);
}

TEST(JobQueueTest, JobsRunSideBySideOnSeveralThreads) {
  std::latch both(2);  // one thread alone would wait here for ever
  const std::unique_ptr<JobQueue> queue = Start(2);
  queue->Push([&] { both.arrive_and_wait(); });
  queue->Push([&] { both.arrive_and_wait(); });
  both.wait();
}

TEST(JobQueueTest, JobsMayBePushedFromAnyThreadAndFromJobs) {
  std::atomic<int> ran = 0;
  {
    const std::unique_ptr<JobQueue> queue = Start(2);
    std::latch pushed(10);
    for (int i = 0; i < 10; ++i) {
      queue->Push([&] {
        queue->Push([&] { ++ran; });
        pushed.count_down();
      });
    }
    pushed.wait();
  }
  EXPECT_EQ(ran, 10);
}

TEST(JobQueueTest, WhatAJobCapturedEndsBeforeTheNextJobBegins) {
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = token;
  bool gone = false;
  {
    const std::unique_ptr<JobQueue> queue = Start(1);
    queue->Push([token = std::move(token)] {});
    queue->Push([&] { gone = watched.expired(); });
  }
  EXPECT_TRUE(gone);
}

TEST(JobQueueTest, WithoutThreadsThereIsNoQueue) {
  for (int nth = 1; nth <= 3; ++nth) {
    const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = nth, .error = EAGAIN});
    EXPECT_EQ(JobQueue::Start(3).status().code(), StatusCode::kResourceExhausted);
    EXPECT_TRUE(plan.fired()) << nth;
  }
}

TEST(ThreadWorkerTest, DestroyedItFinishesAndPostsInOrder) {
  std::vector<int> worked;
  std::vector<std::function<void()>> posted;
  {
    const auto post = [&](std::function<void()> call) { posted.push_back(std::move(call)); };
    const std::unique_ptr<Worker> worker = *MakeThreadWorker(post);
    for (int i = 0; i < 3; ++i) worker->Run([&, i] { worked.push_back(i); }, [] {});
  }
  EXPECT_THAT(worked, ::testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(posted.size(), 3u);
}

TEST(ThreadWorkerTest, WithoutAThreadThereIsNone) {
  const fault::ScopedPlan plan({.op = fault::Op::kThread, .error = EAGAIN});
  EXPECT_EQ(MakeThreadWorker([](const std::function<void()>&) {}).status().code(),
            StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace trims
