// SourceFetcher with a loop that the test runs: progress and results come on it, and none once the
// fetcher is gone, which waits for its threads.
#include "ingest/source_fetcher.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace trims::test {
namespace {

// What was posted, in order; run by whoever waits.
class PostedCalls {
 public:
  PostToLoop poster() {
    return [this](std::function<void()> call) {
      const std::lock_guard<std::mutex> lock(mutex_);
      calls_.push_back(std::move(call));
      changed_.notify_all();
    };
  }
  void RunNext() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !calls_.empty(); });
    const std::function<void()> call = std::move(calls_.front());
    calls_.pop_front();
    lock.unlock();
    call();
  }
  void RunAll() {
    while (size() > 0) RunNext();
  }
  size_t size() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return calls_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;
};

TEST(SourceFetcherTest, ResultAndProgressComeOnTheLoop) {
  PostedCalls loop;
  const auto fetcher = MakeSourceFetcher(
                           [](const FetchJob& job, const FetchCalls& calls) -> Result<Fetched> {
                             calls.progress(1, 10);
                             calls.progress(2, 10);
                             return Fetched{SourceUri::OfPath(job.files)};
                           },
                           1, loop.poster())
                           .value();
  std::vector<uint64_t> told;
  std::optional<Result<Fetched>> fetched;
  fetcher->Fetch(
      {.uri = {}, .files = "/d"},
      [&told](std::string_view stage, uint64_t done, uint64_t total) {
        EXPECT_EQ(stage, "download");
        EXPECT_EQ(total, 10u);
        told.push_back(done);
      },
      [&fetched](Result<Fetched> source) { fetched = std::move(source); });
  while (!fetched) loop.RunNext();
  EXPECT_EQ((*fetched)->source.path, "/d");
  // The second only if the loop had taken the first by then.
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.front(), 1u);
  EXPECT_LE(told.size(), 2u);
}

// Tells on which thread it ended.
struct EndsOn {
  explicit EndsOn(std::thread::id* where) : where(where) {}
  ~EndsOn() { *where = std::this_thread::get_id(); }
  std::thread::id* where;
};

TEST(SourceFetcherTest, WhatTheCallbackHoldsEndsOnTheLoop) {
  for (int round = 0; round < 100; ++round) {
    PostedCalls loop;
    std::thread::id ended;
    bool called = false;
    {
      auto fetcher = MakeSourceFetcher([](const FetchJob&,
                                          const FetchCalls&) { return Result<Fetched>(Fetched{}); },
                                       1, loop.poster())
                         .value();
      fetcher->Fetch({}, nullptr,
                     [held = std::make_shared<EndsOn>(&ended), &called](const Result<Fetched>&) {
                       called = true;
                     });
      while (!called) loop.RunNext();
    }
    EXPECT_EQ(ended, std::this_thread::get_id());
  }
}

TEST(SourceFetcherTest, GoneItGivesUpAndCallsNobody) {
  PostedCalls loop;
  std::mutex mutex;
  std::condition_variable changed;
  bool started = false;
  auto fetcher = MakeSourceFetcher(
                     [&](const FetchJob&, const FetchCalls& calls) -> Result<Fetched> {
                       {
                         const std::lock_guard<std::mutex> lock(mutex);
                         started = true;
                         changed.notify_all();
                       }
                       std::mutex waiting;
                       std::condition_variable woken;
                       bool cancelled = false;
                       const CancelToken::Watch watch(calls.cancel, [&] {
                         const std::lock_guard<std::mutex> lock(waiting);
                         cancelled = true;
                         woken.notify_all();
                       });
                       std::unique_lock<std::mutex> lock(waiting);
                       woken.wait(lock, [&] { return cancelled; });
                       return Status(StatusCode::kCancelled, "given up");
                     },
                     1, loop.poster())
                     .value();
  fetcher->Fetch({}, nullptr, [](const Result<Fetched>&) { FAIL(); });
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return started; });
  }
  fetcher.reset();
  loop.RunAll();
}

}  // namespace
}  // namespace trims::test
