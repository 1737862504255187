// FdPoller: which of many descriptors are ready, level-triggered, one batch at a time.
//
// The event loop's only wait: a request costs epoll_wait, recvmsg and sendmsg, and several ready
// connections share the first. kHangUp (with kRead and kWrite, so that the owner's next call meets it) is reported
// whatever the interest, until the watch is removed.
//
//   watch_ = poller.Add(fd, FdPoller::kRead, [this](unsigned ready) { OnReady(ready); });
//   …
//   poller.Remove(watch_);  // before the descriptor is closed; from inside the callback too
//
// Thread-safety: loop only.
#ifndef TRIMS_LOOP_FD_POLLER_H_
#define TRIMS_LOOP_FD_POLLER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

class FdPoller {
 public:
  static constexpr unsigned kRead = 1;
  static constexpr unsigned kWrite = 2;
  static constexpr unsigned kHangUp = 4;  // or an error
  static constexpr unsigned kUrgent =
      8;  // EPOLLPRI: what the kernel tells out of line, as pressure
  using Callback = std::function<void(unsigned ready)>;

  static Result<std::unique_ptr<FdPoller>> Create();
  FdPoller(const FdPoller&) = delete;
  FdPoller& operator=(const FdPoller&) = delete;

  // 0 (never a watch otherwise): the kernel refused, RESOURCE_EXHAUSTED in all but name.
  uint64_t Add(int fd, unsigned interest, Callback callback);
  // An interest of 0 keeps the watch and reports hang-ups only.
  void SetInterest(uint64_t watch, unsigned interest);
  void Remove(uint64_t watch);

  // Calls back those that are ready, at most a batch of them; what is left has its turn before they
  // have another. RunBatch never blocks; WaitAndRunBatch returns after a signal as well.
  void RunBatch() { Run(0); }
  void WaitAndRunBatch() { Run(-1); }

 private:
  struct Watch {
    int fd;
    Callback callback;
  };

  explicit FdPoller(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  void Run(int timeout_ms);

  UniqueFd epoll_;
  uint64_t next_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Watch>> watches_;
  std::vector<std::unique_ptr<Watch>>
      removed_;  // kept until the batch ends: one of them may be running
};

}  // namespace trims

#endif  // TRIMS_LOOP_FD_POLLER_H_
