// MemoryWatch: when memory that the daemon has let go of is really free.
//
// A memfd lives as long as anybody has a descriptor or a mapping of it, whatever became of the lease: a program that
// closed its connection and kept the map, a child that it forked, whoever it handed the descriptor to. The daemon
// closes its own descriptors and has the kernel say (inotify, IN_DELETE_SELF) when the last of the others is gone,
// which for most is before the close returns.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<MemoryWatch> watch, MemoryWatch::Start(&loop));
//   watch->LetGo(std::move(bytes), {.freed = told});  // on a thread that may block
//
// What it can't see: a GPU's memory, a segment's index (which is little), and all that is let go of while the kernel gives no watch or kMostWatches are out.
// Such bytes count as free once the daemon has let go of them. A mapping that ends frees its pages a moment (milliseconds) after
// the kernel said so.
//
// The watcher outlives it. Thread-safety: LetGo() from any thread.
#ifndef TRIMS_STORE_MEMORY_WATCH_H_
#define TRIMS_STORE_MEMORY_WATCH_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/mutex.h"
#include "base/unique_fd.h"
#include "loop/fd_watcher.h"
#include "loop/post_to_loop.h"
#include "store/resident_bytes.h"

namespace trims {

// A memfd, as /proc/PID/maps names it.
struct MemoryId {
  dev_t device = 0;
  ino_t inode = 0;

  friend bool operator==(const MemoryId&, const MemoryId&) = default;
};

// Called on any thread, the second before the first and only where somebody else still has some of the memory when
// the daemon has let go of it. Both may do no more than post.
struct LetGoCalls {
  std::function<void()> freed;
  std::function<void(std::vector<MemoryId>)> kept = {};
};

class MemoryWatch {
 public:
  // The kernel keeps 16384 events for who doesn't read: those of so many watches always fit.
  static constexpr size_t kMostWatches = 4096;

  // RESOURCE_EXHAUSTED: the kernel has no inotify instance to give.
  static Result<std::unique_ptr<MemoryWatch>> Start(FdWatcher* watcher);
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  // Frees what nobody else has, which takes time.
  void LetGo(ResidentBytes bytes, LetGoCalls calls);

 private:
  struct Release {
    size_t watches = 0;  // that have not told yet
    std::vector<MemoryId> memory;
    std::function<void()> freed;
  };

  explicit MemoryWatch(UniqueFd inotify) : inotify_(std::move(inotify)) {}
  uint64_t Watch(const ResidentBytes& bytes, std::function<void()> freed);
  void WatchOne(const Handle& handle, uint64_t id, Release* release) TRIMS_REQUIRES(mutex_);
  void TakeEvents() TRIMS_REQUIRES(mutex_);
  void Gone(int watch) TRIMS_REQUIRES(mutex_);

  const UniqueFd inotify_;
  Mutex mutex_;
  uint64_t last_ TRIMS_GUARDED_BY(mutex_) = 0;
  std::unordered_map<uint64_t, Release> releases_ TRIMS_GUARDED_BY(mutex_);
  std::unordered_map<int, uint64_t> release_of_ TRIMS_GUARDED_BY(mutex_);  // by watch
  std::unique_ptr<FdWatch> readable_;
};

// The same calls, made on the loop.
LetGoCalls PostedBy(const PostToLoop& post, LetGoCalls calls);

// As MemoryWatch::LetGo; without a watch what is let go of is free.
void LetGoOf(ResidentBytes bytes, LetGoCalls calls, MemoryWatch* watch);

}  // namespace trims

#endif  // TRIMS_STORE_MEMORY_WATCH_H_
