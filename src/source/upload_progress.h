// UploadProgress: how far requests that run at once have come together.
//
//   UploadProgress progress(total, tell);
//   progress.Sent(3, 4096);  // of the request of that tag, so far
//   progress.End(3, 8192);   // all of it is there
//
// Thread-safety: safe.
#ifndef TRIMS_SOURCE_UPLOAD_PROGRESS_H_
#define TRIMS_SOURCE_UPLOAD_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/mutex.h"

namespace trims {

class UploadProgress {
 public:
  using Tell = std::function<void(uint64_t done, uint64_t total)>;

  UploadProgress(uint64_t total, Tell tell) : total_(total), tell_(std::move(tell)) {}

  void Sent(size_t tag, uint64_t bytes) {
    const MutexLock lock(mutex_);
    sent_[tag] = bytes;
    TellAll();
  }
  // Nothing of that request is under way any more; `there` of its bytes have been taken.
  void End(size_t tag, uint64_t there) {
    const MutexLock lock(mutex_);
    sent_.erase(tag);
    done_ += there;
    TellAll();
  }
  void AddThere(uint64_t bytes) {
    const MutexLock lock(mutex_);
    done_ += bytes;
    TellAll();
  }

 private:
  void TellAll() TRIMS_REQUIRES(mutex_) {
    if (!tell_) return;
    uint64_t done = done_;
    for (const auto& [tag, bytes] : sent_) done += bytes;
    tell_(done, total_);
  }

  const uint64_t total_;
  const Tell tell_;  // may be empty
  Mutex mutex_;
  uint64_t done_ TRIMS_GUARDED_BY(mutex_) = 0;
  std::map<size_t, uint64_t> sent_ TRIMS_GUARDED_BY(mutex_);
};

}  // namespace trims

#endif  // TRIMS_SOURCE_UPLOAD_PROGRESS_H_
