#include "load/stream_hasher.h"

#include <algorithm>

#include "base/macros.h"
#include "base/thread.h"

namespace trims {
namespace {

constexpr uint64_t kStep = uint64_t{1} << 20;  // after which it may be stopped

}  // namespace

Result<std::unique_ptr<StreamHasher>> StreamHasher::Start(std::span<const std::byte> bytes) {
  std::unique_ptr<StreamHasher> hasher(new StreamHasher(bytes));
  TRIMS_ASSIGN_OR_RETURN(hasher->thread_, StartThread([hasher = hasher.get()] { hasher->Run(); }));
  return hasher;
}

StreamHasher::~StreamHasher() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void StreamHasher::Ready(uint64_t end) {
  MutexLock lock(mutex_);
  ready_ = end;
  changed_.NotifyAll();
}

std::string StreamHasher::Finish() {
  thread_.join();
  return hash_.FinishHex();
}

void StreamHasher::Run() {
  for (uint64_t done = 0; done < bytes_.size();) {
    const uint64_t ready = ReadyBeyond(done);
    if (ready == 0) return;
    const uint64_t step = std::min(ready - done, kStep);
    hash_.Update(bytes_.subspan(done, step));
    done += step;
  }
}

uint64_t StreamHasher::ReadyBeyond(uint64_t done) {
  MutexLock lock(mutex_);
  while (!stopped_ && ready_ <= done) changed_.Wait(mutex_);
  return stopped_ ? 0 : ready_;
}

}  // namespace trims
