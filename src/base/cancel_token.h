// CancelToken: says to whoever works elsewhere that nobody wants the result any more, and wakes those who
// wait.
//
//   CancelToken token;
//   const CancelToken::Watch watch(&token, [&] { client.Cancel(); });  // also if it was before
//   token.Cancel();
//
// Thread-safety: safe. A watch's call runs on the thread that cancels, or on the one that makes the watch;
// once the watch is gone, it neither runs nor will.
#ifndef TRIMS_BASE_CANCEL_TOKEN_H_
#define TRIMS_BASE_CANCEL_TOKEN_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/mutex.h"

namespace trims {

class CancelToken {
 public:
  CancelToken() = default;
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;

  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  void Cancel() {
    MutexLock lock(mutex_);
    cancelled_.store(true, std::memory_order_relaxed);
    for (const auto& [id, call] : watches_) call();
  }

  // The call must not make or end watches.
  class Watch {
   public:
    Watch(CancelToken* token, std::function<void()> call) : token_(token) {
      MutexLock lock(token->mutex_);
      if (token->cancelled()) call();
      id_ = ++token->last_;
      token->watches_.emplace(id_, std::move(call));
    }
    ~Watch() {
      MutexLock lock(token_->mutex_);
      token_->watches_.erase(id_);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    CancelToken* const token_;
    uint64_t id_ = 0;
  };

 private:
  std::atomic<bool> cancelled_{false};
  Mutex mutex_;
  uint64_t last_ TRIMS_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::function<void()>> watches_ TRIMS_GUARDED_BY(mutex_);
};

}  // namespace trims

#endif  // TRIMS_BASE_CANCEL_TOKEN_H_
