#include <atomic>
#include <deque>
#include <utility>

#include "base/macros.h"
#include "base/mutex.h"
#include "load/read_engine.h"
#include "loop/job_queue.h"

namespace trims {
namespace {

// Enough that the readers have work while the caller allocates or opens a file.
constexpr size_t kDepth = 16;

ReadDone ReadNow(ReadRequest request) {
  return {request.tag, request.file->ReadAt(request.offset, request.destination)};
}

class InlineEngine final : public ReadEngine {
 public:
  size_t depth() const override { return 1; }
  size_t in_flight() const override { return done_.size(); }
  void Submit(ReadRequest request) override { done_.push_back(ReadNow(std::move(request))); }
  ReadDone Wait() override {
    ReadDone done = std::move(done_.front());
    done_.pop_front();
    return done;
  }

 private:
  std::deque<ReadDone> done_;
};

class PreadEngine final : public ReadEngine {
 public:
  ~PreadEngine() override { stopping_.store(true); }

  Status Start(int threads) {
    TRIMS_ASSIGN_OR_RETURN(readers_, JobQueue::Start(threads));
    return Status();
  }

  size_t depth() const override { return kDepth; }
  size_t in_flight() const override { return in_flight_; }

  void Submit(ReadRequest request) override {
    ++in_flight_;
    readers_->Push([this, request = std::move(request)]() mutable {
      if (stopping_.load()) return;
      ReadDone done =
          ReadNow(std::move(request));  // lets go of the file, before the read is reaped
      Ended(std::move(done));
    });
  }

  ReadDone Wait() override {
    MutexLock lock(mutex_);
    while (done_.empty()) changed_.Wait(mutex_);
    ReadDone done = std::move(done_.front());
    done_.pop_front();
    --in_flight_;
    return done;
  }

 private:
  void Ended(ReadDone done) {
    MutexLock lock(mutex_);
    done_.push_back(std::move(done));
    changed_.NotifyOne();
  }

  size_t in_flight_ = 0;               // the caller's thread only
  std::atomic<bool> stopping_{false};  // what has not begun need not

  Mutex mutex_;
  CondVar changed_;
  std::deque<ReadDone> done_ TRIMS_GUARDED_BY(mutex_);

  std::unique_ptr<JobQueue> readers_;  // the first to go: its jobs end here
};

}  // namespace

Result<std::unique_ptr<ReadEngine>> MakePreadEngine(int threads) {
  if (threads == 0) return std::unique_ptr<ReadEngine>(std::make_unique<InlineEngine>());
  auto engine = std::make_unique<PreadEngine>();
  TRIMS_RETURN_IF_ERROR(engine->Start(threads));
  return std::unique_ptr<ReadEngine>(std::move(engine));
}

}  // namespace trims
