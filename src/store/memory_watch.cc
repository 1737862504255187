#include "store/memory_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"

namespace trims {
namespace {

// A whole number of events without names, as they are here.
constexpr size_t kEventsAtOnce = 256;

// Whose pages are the memory itself: a simulated device's is the host's.
bool IsMemfd(const Handle& handle) {
  return handle.kind == HandleKind::kHostMemory || handle.kind == HandleKind::kSimulatedDevice;
}

}  // namespace

Result<std::unique_ptr<MemoryWatch>> MemoryWatch::Start(FdWatcher* watcher) {
  UniqueFd inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify) return ErrnoStatus("inotify_init1");
  std::unique_ptr<MemoryWatch> watch(new MemoryWatch(std::move(inotify)));
  TRIMS_ASSIGN_OR_RETURN(watch->readable_,
                         watcher->WatchReadable(watch->inotify_.get(), [watch = watch.get()] {
                           MutexLock lock(watch->mutex_);
                           watch->TakeEvents();
                         }));
  return watch;
}

void MemoryWatch::LetGo(ResidentBytes bytes, LetGoCalls calls) {
  const uint64_t id = Watch(bytes, std::move(calls.freed));
  { const ResidentBytes gone = std::move(bytes); }
  MutexLock lock(mutex_);
  TakeEvents();
  const auto left = releases_.find(id);
  if (left == releases_.end()) return;
  if (left->second.watches > 0) {
    if (calls.kept) calls.kept(left->second.memory);
    return;
  }
  left->second.freed();  // nothing of it could be watched
  releases_.erase(left);
}

uint64_t MemoryWatch::Watch(const ResidentBytes& bytes, std::function<void()> freed) {
  MutexLock lock(mutex_);
  const uint64_t id = ++last_;
  Release& release = releases_[id];
  release.freed = std::move(freed);
  // Not the index, which is little, and which a device's segment shares with the host's.
  for (const Handle& extent : bytes.extents) WatchOne(extent, id, &release);
  return id;
}

void MemoryWatch::WatchOne(const Handle& handle, uint64_t id, Release* release) {
  struct stat memory {};
  if (!IsMemfd(handle) || release_of_.size() >= kMostWatches) return;
  if (::fstat(handle.fd.get(), &memory) != 0) return;
  const int watch = sys::WatchEnd(inotify_.get(), handle.fd.get());
  if (watch < 0) return;
  release_of_[watch] = id;
  release->memory.push_back({.device = memory.st_dev, .inode = memory.st_ino});
  ++release->watches;
}

void MemoryWatch::TakeEvents() {
  alignas(inotify_event) char buffer[kEventsAtOnce * sizeof(inotify_event)];
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer, sizeof buffer);
    if (size <= 0) return;
    for (size_t at = 0; at < static_cast<size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof event);
      at += sizeof event + event.len;
      if (event.mask & IN_DELETE_SELF) Gone(event.wd);
    }
  }
}

void MemoryWatch::Gone(int watch) {
  const auto found = release_of_.find(watch);
  if (found == release_of_.end()) return;
  const auto release = releases_.find(found->second);
  release_of_.erase(found);
  if (--release->second.watches > 0) return;
  release->second.freed();
  releases_.erase(release);
}

LetGoCalls PostedBy(const PostToLoop& post, LetGoCalls calls) {
  LetGoCalls posted;
  posted.freed = [post, freed = std::move(calls.freed)] { post(freed); };
  if (!calls.kept) return posted;
  posted.kept = [post, kept = std::move(calls.kept)](std::vector<MemoryId> memory) {
    post([kept, memory = std::move(memory)] { kept(memory); });
  };
  return posted;
}

void LetGoOf(ResidentBytes bytes, LetGoCalls calls, MemoryWatch* watch) {
  if (watch != nullptr) return watch->LetGo(std::move(bytes), std::move(calls));
  { const ResidentBytes gone = std::move(bytes); }
  calls.freed();
}

}  // namespace trims
