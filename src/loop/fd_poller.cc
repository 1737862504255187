#include "loop/fd_poller.h"

#include <sys/epoll.h>

#include <array>
#include <utility>

#include "base/errno_status.h"

namespace trims {
namespace {

constexpr int kBatch = 64;

epoll_event EventFor(uint64_t watch, unsigned interest) {
  epoll_event event{};
  if (interest & FdPoller::kRead) event.events |= EPOLLIN;
  if (interest & FdPoller::kWrite) event.events |= EPOLLOUT;
  if (interest & FdPoller::kUrgent) event.events |= EPOLLPRI;
  event.data.u64 = watch;
  return event;
}

unsigned ReadyOf(uint32_t events) {
  if (events & (EPOLLHUP | EPOLLERR)) {
    return FdPoller::kRead | FdPoller::kWrite | FdPoller::kHangUp;
  }
  unsigned ready = 0;
  if (events & EPOLLIN) ready |= FdPoller::kRead;
  if (events & EPOLLOUT) ready |= FdPoller::kWrite;
  if (events & EPOLLPRI) ready |= FdPoller::kUrgent;
  return ready;
}

}  // namespace

Result<std::unique_ptr<FdPoller>> FdPoller::Create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return ErrnoStatus("making an epoll set");
  return std::unique_ptr<FdPoller>(new FdPoller(std::move(epoll)));
}

uint64_t FdPoller::Add(int fd, unsigned interest, Callback callback) {
  const uint64_t watch = next_++;
  epoll_event event = EventFor(watch, interest);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return 0;
  watches_.emplace(watch, std::make_unique<Watch>(Watch{fd, std::move(callback)}));
  return watch;
}

void FdPoller::SetInterest(uint64_t watch, unsigned interest) {
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  epoll_event event = EventFor(watch, interest);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, found->second->fd, &event);
}

void FdPoller::Remove(uint64_t watch) {
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->fd, nullptr);
  removed_.push_back(std::move(found->second));
  watches_.erase(found);
}

void FdPoller::Run(int timeout_ms) {
  std::array<epoll_event, kBatch> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kBatch, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const uint64_t watch = events[i].data.u64;  // a copy: epoll_event is packed
    const auto found = watches_.find(watch);    // an earlier callback may have removed it
    if (found != watches_.end()) found->second->callback(ReadyOf(events[i].events));
  }
  // Taken out first: what a callback owned may be a watch of its own.
  while (!removed_.empty()) std::exchange(removed_, {}).clear();
}

}  // namespace trims
