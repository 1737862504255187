// Mutex, MutexLock and CondVar with the annotations that clang's -Wthread-safety checks, and the
// annotation macros.
//
//   Mutex mutex_;
//   std::deque<Job> jobs_ TRIMS_GUARDED_BY(mutex_);
//   …
//   MutexLock lock(mutex_);
//   while (jobs_.empty()) wakeup_.Wait(mutex_);
#ifndef TRIMS_BASE_MUTEX_H_
#define TRIMS_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define TRIMS_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define TRIMS_THREAD_ANNOTATION(x)
#endif
#define TRIMS_CAPABILITY(x) TRIMS_THREAD_ANNOTATION(capability(x))
#define TRIMS_SCOPED_CAPABILITY TRIMS_THREAD_ANNOTATION(scoped_lockable)
#define TRIMS_GUARDED_BY(x) TRIMS_THREAD_ANNOTATION(guarded_by(x))
#define TRIMS_REQUIRES(...) TRIMS_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define TRIMS_EXCLUDES(...) TRIMS_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define TRIMS_ACQUIRE(...) TRIMS_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define TRIMS_RELEASE(...) TRIMS_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define TRIMS_NO_THREAD_SAFETY_ANALYSIS TRIMS_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace trims {

class TRIMS_CAPABILITY("mutex") Mutex {
 public:
  void Lock() TRIMS_ACQUIRE() { mutex_.lock(); }
  void Unlock() TRIMS_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class TRIMS_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TRIMS_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() TRIMS_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // Releases `mutex`, waits, takes it again. Wakes spuriously too: call it in a loop on the
  // condition.
  void Wait(Mutex& mutex) TRIMS_REQUIRES(mutex) TRIMS_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False once it is `until`; wakes spuriously too.
  bool WaitUntil(Mutex& mutex,
                 std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds> until)
      TRIMS_REQUIRES(mutex) TRIMS_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_until(lock, until);
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace trims

#endif  // TRIMS_BASE_MUTEX_H_
