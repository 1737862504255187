#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "base/fault.h"
#include "base/mutex.h"
#include "loader_fixture.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using testing::Bytes;
using testing::HeldFds;

// A loop that a test turns by hand.
class ManualLoop {
 public:
  PostToLoop Post() {
    return [this](std::function<void()> call) {
      MutexLock lock(mutex_);
      calls_.push_back(std::move(call));
      changed_.NotifyOne();
    };
  }
  void RunOne() { Next()(); }
  size_t Pending() {
    MutexLock lock(mutex_);
    return calls_.size();
  }

 private:
  std::function<void()> Next() {
    MutexLock lock(mutex_);
    while (calls_.empty()) changed_.Wait(mutex_);
    std::function<void()> call = std::move(calls_.front());
    calls_.pop_front();
    return call;
  }
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> calls_ TRIMS_GUARDED_BY(mutex_);
};

CancelFlag NotCancelled() { return std::make_shared<std::atomic<bool>>(false); }

class ThreadLoaderTest : public testing::LoaderFixture {
 protected:
  ThreadLoaderTest() {
    AddFile("model", Bytes(9'000'000));
    WriteIndex();
  }
  std::unique_ptr<Loader> Make(int threads) {
    Result<std::unique_ptr<Loader>> loader = MakeThreadLoader(threads, loop_.Post());
    EXPECT_TRUE(loader.ok()) << loader.status().ToString();
    return *std::move(loader);
  }
  ManualLoop loop_;
};

TEST_F(ThreadLoaderTest, LoadsAndFreesAndLeavesNothing) {
  const size_t fds = HeldFds();
  const std::unique_ptr<Loader> loader = Make(1);
  std::optional<Result<ResidentBytes>> loaded;
  loader->Load(Plan(), NotCancelled(),
               [&](Result<ResidentBytes> r) { loaded.emplace(std::move(r)); });
  EXPECT_FALSE(loaded) << "done before the loop ran";
  loop_.RunOne();
  ASSERT_TRUE(loaded && loaded->ok());
  EXPECT_TRUE(Content((*loaded)->extents[0]) == contents_[0]);
  EXPECT_EQ(HeldFds(), fds + 2);
  bool freed = false;
  loader->Free(**std::move(loaded), [&] { freed = true; });
  loop_.RunOne();
  EXPECT_TRUE(freed);
  EXPECT_EQ(HeldFds(), fds);
}

TEST_F(ThreadLoaderTest, ManyLoadsOnFewThreadsAllEnd) {
  const std::unique_ptr<Loader> loader = Make(2);
  int ok = 0;
  for (int i = 0; i < 20; ++i) {
    loader->Load(Plan(), NotCancelled(), [&](const Result<ResidentBytes>& r) { ok += r.ok(); });
  }
  for (int i = 0; i < 20; ++i) loop_.RunOne();
  EXPECT_EQ(ok, 20);
}

TEST_F(ThreadLoaderTest, OneThreadKeepsTheOrder) {
  const std::unique_ptr<Loader> loader = Make(1);
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) {
    loader->Load(Plan(), NotCancelled(),
                 [&, i](const Result<ResidentBytes>&) { order.push_back(i); });
  }
  for (int i = 0; i < 10; ++i) loop_.RunOne();
  EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(ThreadLoaderTest, ACancelledJobSaysSo) {
  const std::unique_ptr<Loader> loader = Make(1);
  const CancelFlag cancelled = std::make_shared<std::atomic<bool>>(true);
  StatusCode code = StatusCode::kOk;
  loader->Load(Plan(), cancelled,
               [&](const Result<ResidentBytes>& r) { code = r.status().code(); });
  loop_.RunOne();
  EXPECT_EQ(code, StatusCode::kCancelled);
}

TEST_F(ThreadLoaderTest, AFailedLoadIsReported) {
  image_.variant.extents[0].sha256 = std::string(64, '0');
  const std::unique_ptr<Loader> loader = Make(1);
  StatusCode code = StatusCode::kOk;
  loader->Load(Plan(), NotCancelled(),
               [&](const Result<ResidentBytes>& r) { code = r.status().code(); });
  loop_.RunOne();
  EXPECT_EQ(code, StatusCode::kDataLoss);
}

TEST_F(ThreadLoaderTest, DestroyedItStillPostsEveryCompletion) {
  const size_t fds = HeldFds();
  int done = 0;
  {
    const std::unique_ptr<Loader> loader = Make(1);
    for (int i = 0; i < 5; ++i) {
      loader->Load(Plan(), NotCancelled(), [&](const Result<ResidentBytes>&) { ++done; });
    }
  }
  EXPECT_EQ(loop_.Pending(), 5u);
  for (int i = 0; i < 5; ++i) loop_.RunOne();
  EXPECT_EQ(done, 5);
  EXPECT_EQ(HeldFds(), fds);
}

TEST_F(ThreadLoaderTest, WithoutThreadsThereIsNone) {
  EXPECT_EQ(MakeThreadLoader(0, loop_.Post()).status().code(), StatusCode::kInvalidArgument);
  for (int nth = 1; nth <= 4; ++nth) {
    const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = nth, .error = EAGAIN});
    EXPECT_EQ(MakeThreadLoader(3, loop_.Post()).status().code(), StatusCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace trims
