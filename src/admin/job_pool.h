// JobPool: a few threads, each with its own link to the daemon, and a queue of limited length before them.
//
//   TRIMS_ASSIGN_OR_RETURN(auto pool, JobPool::Start({.threads = 2, .queue = 32, .link = …}));
//   if (!pool->TryRun([&](DaemonLink& link) { … })) Refuse();
//
// What was taken is run, also while the pool goes. Thread-safety: safe.
#ifndef TRIMS_ADMIN_JOB_POOL_H_
#define TRIMS_ADMIN_JOB_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "trims/status.h"

#include "admin/daemon_link.h"
#include "base/mutex.h"

namespace trims::admin {

struct JobPoolOptions {
  size_t threads = 2;
  size_t queue = 32;  // jobs that wait for a thread; 0: what finds none idle is refused
  std::function<std::unique_ptr<DaemonLink>()> link;
};

class JobPool {
 public:
  using Job = std::function<void(DaemonLink&)>;

  static Result<std::unique_ptr<JobPool>> Start(JobPoolOptions options);
  ~JobPool();  // once all that was taken has run
  JobPool(const JobPool&) = delete;
  JobPool& operator=(const JobPool&) = delete;

  // False, and nothing is run: too many wait.
  [[nodiscard]] bool TryRun(Job job) TRIMS_EXCLUDES(mutex_);

 private:
  explicit JobPool(JobPoolOptions options) : options_(std::move(options)) {}
  void Work() TRIMS_EXCLUDES(mutex_);

  const JobPoolOptions options_;
  std::vector<std::thread> threads_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ TRIMS_GUARDED_BY(mutex_);
  size_t running_ TRIMS_GUARDED_BY(mutex_) = 0;
  bool ending_ TRIMS_GUARDED_BY(mutex_) = false;
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_JOB_POOL_H_
