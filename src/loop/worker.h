// Worker: one thread for short work that may block (SQLite, fsync, removing folders), in order.
//
//   worker->Run([path] { RemoveTree(path); }, [this] { removed_ = true; });
//
// Thread-safety: Run is called on the loop; `work` runs on the thread, `done` on the loop.
#ifndef TRIMS_LOOP_WORKER_H_
#define TRIMS_LOOP_WORKER_H_

#include <functional>
#include <memory>

#include "trims/status.h"

#include "loop/post_to_loop.h"

namespace trims {

class Worker {
 public:
  virtual ~Worker() = default;
  virtual void Run(std::function<void()> work, std::function<void()> done) = 0;
};

// Destroyed, it finishes the work it was given; the completions
// are still posted. RESOURCE_EXHAUSTED: no thread could be made.
Result<std::unique_ptr<Worker>> MakeThreadWorker(PostToLoop post);

}  // namespace trims

#endif  // TRIMS_LOOP_WORKER_H_
