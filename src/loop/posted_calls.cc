#include "loop/posted_calls.h"

#include <sys/eventfd.h>

#include <utility>

#include "base/errno_status.h"

namespace trims {

Result<std::unique_ptr<PostedCalls>> PostedCalls::Create() {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return ErrnoStatus("making an eventfd");
  return std::unique_ptr<PostedCalls>(new PostedCalls(std::move(event)));
}

// The end of a call that never ran may add another.
PostedCalls::~PostedCalls() {
  while (!TakeAll().empty()) {
  }
}

void PostedCalls::Add(std::function<void()> call) {
  bool first;
  {
    MutexLock lock(mutex_);
    first = calls_.empty();
    calls_.push_back(std::move(call));
  }
  if (first) Wake();
}

void PostedCalls::Wake() { ::eventfd_write(event_.get(), 1); }

void PostedCalls::RunAll() {
  eventfd_t count;
  ::eventfd_read(event_.get(), &count);  // before the calls are taken: none is left without a wake
  for (std::function<void()>& call : TakeAll()) std::exchange(call, nullptr)();
}

PostedCalls::Calls PostedCalls::TakeAll() {
  MutexLock lock(mutex_);
  return std::exchange(calls_, {});
}

}  // namespace trims
