#include "keeper/close_watch.h"

#include <sys/inotify.h>

#include <string>
#include <utility>

#include "base/errno_status.h"
#include "base/sys.h"

namespace trims {

Result<std::unique_ptr<CloseWatch>> CloseWatch::Create() {
  UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify) return ErrnoStatus("watching what is closed");
  return std::unique_ptr<CloseWatch>(new CloseWatch(std::move(inotify)));
}

Result<int> CloseWatch::Add(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), IN_CLOSE_NOWRITE);
  if (watch < 0) return ErrnoStatus("watching who closes an extent");
  return watch;
}

void CloseWatch::Remove(int watch) { ::inotify_rm_watch(inotify_.get(), watch); }

void CloseWatch::Clear() {
  char events[4096];
  while (sys::Read(inotify_.get(), events, sizeof events) > 0) {
  }
}

}  // namespace trims
