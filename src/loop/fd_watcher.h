// FdWatcher: readiness of descriptors on the event loop, as far as ingest needs it (child
// processes).
//
//   TRIMS_ASSIGN_OR_RETURN(watch_, watcher->WatchReadable(pipe.get(), [this] { ReadSome(); }));
//
// EventLoop is one; tests have one on poll(2). Thread-safety: loop only.
#ifndef TRIMS_LOOP_FD_WATCHER_H_
#define TRIMS_LOOP_FD_WATCHER_H_

#include <functional>
#include <memory>

#include "trims/status.h"

namespace trims {

// Owner of one watch: `ready` is not called any more once it is gone. It may be destroyed inside
// `ready`.
class FdWatch {
 public:
  virtual ~FdWatch() = default;
};

class FdWatcher {
 public:
  virtual ~FdWatcher() = default;
  // Calls `ready` on the loop, never at once, each time that `fd` is readable or at its end, until
  // the watch is destroyed. `fd` is borrowed: it must stay open until then. Level-triggered: what a
  // call left unread makes the next one.
  virtual Result<std::unique_ptr<FdWatch>> WatchReadable(int fd, std::function<void()> ready) = 0;
};

}  // namespace trims

#endif  // TRIMS_LOOP_FD_WATCHER_H_
