// Jobs: their order, their bound, their end.
#include "admin/job_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

#include "admin/fake_link.h"

namespace trims::admin {
namespace {

std::unique_ptr<JobPool> PoolOf(size_t threads, size_t queue) {
  return *JobPool::Start({.threads = threads, .queue = queue, .link = [] {
                            return std::make_unique<test::FakeLink>();
                          }});
}

TEST(JobPool, TakesNoMoreThanItsQueueHolds) {
  std::promise<void> began;
  std::promise<void> go_on;
  std::atomic<int> ran{0};
  std::unique_ptr<JobPool> pool = PoolOf(1, 2);
  ASSERT_TRUE(pool->TryRun([&](DaemonLink&) {
    began.set_value();
    go_on.get_future().wait();
    ++ran;
  }));
  began.get_future().wait();  // it is in the queue no more
  EXPECT_TRUE(pool->TryRun([&](DaemonLink&) { ++ran; }));
  EXPECT_TRUE(pool->TryRun([&](DaemonLink&) { ++ran; }));
  EXPECT_FALSE(pool->TryRun([&](DaemonLink&) { ++ran; }));
  go_on.set_value();
  pool.reset();
  EXPECT_EQ(ran, 3);
}

TEST(JobPool, WithoutAQueueOnlyWhatFindsAThreadIdleIsTaken) {
  std::promise<void> go_on;
  std::unique_ptr<JobPool> pool = PoolOf(1, 0);
  ASSERT_TRUE(pool->TryRun([&](DaemonLink&) { go_on.get_future().wait(); }));
  EXPECT_FALSE(pool->TryRun([](DaemonLink&) {})) << "also before the thread has begun";
  go_on.set_value();
}

TEST(JobPool, EachThreadHasALinkOfItsOwn) {
  std::promise<DaemonLink*> first;
  std::promise<DaemonLink*> second;
  std::promise<void> both;
  std::shared_future<void> go_on = both.get_future().share();
  std::unique_ptr<JobPool> pool = PoolOf(2, 2);
  for (std::promise<DaemonLink*>* link : {&first, &second}) {
    ASSERT_TRUE(pool->TryRun([link, go_on](DaemonLink& mine) {
      link->set_value(&mine);
      go_on.wait();
    }));
  }
  EXPECT_NE(first.get_future().get(), second.get_future().get());
  both.set_value();
}

}  // namespace
}  // namespace trims::admin
