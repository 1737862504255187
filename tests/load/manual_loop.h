// ManualLoop: a loop that a test turns by hand. Thread-safety: Post()'s calls from any thread.
#ifndef TRIMS_TESTS_LOAD_MANUAL_LOOP_H_
#define TRIMS_TESTS_LOAD_MANUAL_LOOP_H_

#include <deque>
#include <functional>
#include <utility>

#include "base/mutex.h"
#include "loop/post_to_loop.h"

namespace trims::test {

class ManualLoop {
 public:
  PostToLoop Post() {
    return [this](std::function<void()> call) {
      MutexLock lock(mutex_);
      calls_.push_back(std::move(call));
      changed_.NotifyOne();
    };
  }
  void RunOne() { Next()(); }  // waits for one
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

}  // namespace trims::test

#endif  // TRIMS_TESTS_LOAD_MANUAL_LOOP_H_
