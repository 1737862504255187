// JobQueue: jobs that may block, run in order by threads of the queue's own.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<JobQueue> queue, JobQueue::Start(2));
//   queue->Push([path] { RemoveTree(path); });
//
// With one thread a job begins when the one before it has ended; with more they only begin in order.
// What a job captured ends on its thread, before the next job begins.
//
// Destroyed, it runs what was pushed and waits for it; so no job may own the queue. Thread-safety:
// Push() from any thread.
#ifndef TRIMS_LOOP_JOB_QUEUE_H_
#define TRIMS_LOOP_JOB_QUEUE_H_

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "trims/status.h"

#include "base/mutex.h"

namespace trims {

class JobQueue {
 public:
  using Job = std::function<void()>;

  // At least one thread. RESOURCE_EXHAUSTED: the system has none to give; none is left running.
  static Result<std::unique_ptr<JobQueue>> Start(int threads);
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  void Push(Job job);

 private:
  JobQueue() = default;
  bool Pop(Job* job);  // waits for one; false once the queue is closed and empty
  void RunUntilClosed();

  Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ TRIMS_GUARDED_BY(mutex_);
  bool closed_ TRIMS_GUARDED_BY(mutex_) = false;

  std::vector<std::thread> threads_;  // constant once started
};

}  // namespace trims

#endif  // TRIMS_LOOP_JOB_QUEUE_H_
