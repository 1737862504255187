#include "load/fill_feed.h"

#include <utility>

namespace trims {

void FillFeed::Begin(FedBytes bytes) {
  MutexLock lock(mutex_);
  ++attempt_;
  ready_.assign(bytes.extents.size(), 0);
  bytes_ = std::make_shared<const FedBytes>(std::move(bytes));
  changed_.NotifyAll();
}

void FillFeed::Ready(size_t extent, uint64_t end) {
  MutexLock lock(mutex_);
  if (extent >= ready_.size()) return;  // nobody follows this one
  ready_[extent] = end;
  changed_.NotifyAll();
}

void FillFeed::End(const Status& verdict) {
  MutexLock lock(mutex_);
  verdict_ = verdict;
  changed_.NotifyAll();
}

void FillFeed::Wake() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

FillFeed::Seen FillFeed::See(size_t extent) const {
  return {.attempt = attempt_,
          .bytes = bytes_,
          .ready = extent < ready_.size() ? ready_[extent] : 0,
          .verdict = verdict_};
}

FillFeed::Seen FillFeed::Next(uint64_t attempt, size_t extent, uint64_t offset,
                              const CancelToken& stop) {
  MutexLock lock(mutex_);
  while (true) {
    Seen seen = See(extent);
    const bool news = seen.verdict || seen.attempt != attempt || seen.ready > offset;
    if (news || stop.cancelled()) return seen;
    changed_.Wait(mutex_);
  }
}

FillFeed::Seen FillFeed::Verdict(uint64_t attempt, const CancelToken& stop) {
  MutexLock lock(mutex_);
  while (!stop.cancelled() && !verdict_ && attempt_ == attempt) changed_.Wait(mutex_);
  return See(0);
}

}  // namespace trims
