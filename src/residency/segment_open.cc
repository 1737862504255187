// Opening: hits, waiters, deadlines and deliveries.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {
namespace {

std::chrono::milliseconds Milliseconds(Duration duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration);
}

std::chrono::microseconds Microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration);
}

OpenInfo InfoOf(const Image& image) {
  OpenInfo info;
  info.reference = image.reference;
  info.digest = image.digest;
  info.variant = image.kind;
  info.variant_key = image.variant_key;
  return info;
}

}  // namespace

WaiterId SegmentTable::Open(const ImagePtr& image, const OpenParams& params, OpenCallback done) {
  WaiterId waiter = 0;
  {
    Entry entry(this);
    Segment* segment = FindOrMake(*image);
    segment->removed = false;
    switch (segment->state) {
      case SegmentState::kResident:
        return Hit(segment, InfoOf(*image), std::move(done));
      case SegmentState::kReserved:
      case SegmentState::kLoading:
        ++counters_->joined;
        break;
      default:
        if (Status status = StartMiss(segment, image); !status.ok()) return Refuse(status, done);
        ++counters_->misses;
    }
    waiter = AddWaiter(segment, InfoOf(*image), params, std::move(done));
    FillRoom();
  }
  return waiters_.contains(waiter) ? waiter : 0;
}

WaiterId SegmentTable::Hit(Segment* segment, OpenInfo info, OpenCallback done) {
  ++counters_->hits;
  info.hit = true;
  done(Grant(segment, std::move(info)));
  return 0;
}

WaiterId SegmentTable::Refuse(const Status& why, const OpenCallback& done) {
  ++counters_->refused;
  done(why);
  return 0;
}

// On failure the segment is as it was, or gone if it was new.
Status SegmentTable::StartMiss(Segment* segment, const ImagePtr& image) {
  Status status = BackingOff(*segment);
  if (status.ok()) {
    segment->plan = {
        .image = image, .prepared_root = options_.prepared_root, .pages = HugePagePolicy::kBest};
    // One that is being freed is admitted when it is gone.
    if (segment->state == SegmentState::kDraining) return {};
    status = Admit(segment);
  }
  if (!status.ok() && segment->state == SegmentState::kAbsent) Forget(segment);
  return status;
}

Status SegmentTable::BackingOff(const Segment& segment) const {
  const LoadFailure& failure = segment.failure;
  const Duration left = failure.retry_at - dependencies_.clock->Now();
  if (failure.in_a_row == 0 || left <= Duration::zero()) return {};
  return Status(failure.error.code(),
                failure.error.message() + " (failed " + std::to_string(failure.in_a_row) +
                    " times in a row; tried again in " +
                    std::to_string(Milliseconds(left).count()) + " ms at the earliest)",
                failure.error.hint());
}

WaiterId SegmentTable::AddWaiter(Segment* segment, OpenInfo info, const OpenParams& params,
                                 OpenCallback done) {
  const WaiterId id = ++last_waiter_;
  const auto deadline = params.deadline.count() > 0 ? params.deadline : options_.default_deadline;
  Waiter waiter{.id = id,
                .info = std::move(info),
                .done = std::move(done),
                .began = dependencies_.clock->Now()};
  waiter.timer = dependencies_.timers->CallAfter(deadline, [this, id] { DeadlinePassed(id); });
  segment->waiters.push_back(std::move(waiter));
  waiters_.emplace(id, segment);
  return id;
}

bool SegmentTable::TakeWaiter(WaiterId id, Waiter* waiter) {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return false;
  std::list<Waiter>& waiters = found->second->waiters;
  for (auto place = waiters.begin(); place != waiters.end(); ++place) {
    if (place->id != id) continue;
    *waiter = std::move(*place);
    waiters.erase(place);
    break;
  }
  waiters_.erase(found);
  return true;
}

void SegmentTable::CancelOpen(WaiterId id) {
  Entry entry(this);
  Waiter waiter;
  if (TakeWaiter(id, &waiter)) {
    dependencies_.timers->Cancel(waiter.timer);
    ++counters_->cancelled;
    return;
  }
  // Served, but not told yet. Taken out first: the end of its lease may add deliveries.
  const auto place = std::find_if(deliveries_.begin(), deliveries_.end(),
                                  [id](const Delivery& other) { return other.waiter == id; });
  if (place == deliveries_.end()) return;
  const Delivery dropped = std::move(*place);
  deliveries_.erase(place);
  ++counters_->cancelled;
}

void SegmentTable::DeadlinePassed(WaiterId id) {
  Entry entry(this);
  Waiter waiter;
  if (!TakeWaiter(id, &waiter)) return;
  ++counters_->deadline_exceeded;
  const auto waited = Milliseconds(dependencies_.clock->Now() - waiter.began);
  Status status(StatusCode::kDeadlineExceeded,
                "model '" + waiter.info.reference + "' is not loaded yet after " +
                    std::to_string(waited.count()) + " ms; the load goes on",
                "open it again, or with a longer deadline");
  deliveries_.push_back({id, std::move(waiter.done), std::move(status)});
}

void SegmentTable::ServeWaiters(Segment* segment) {
  const TimePoint now = dependencies_.clock->Now();
  std::list<Waiter> waiters = std::exchange(segment->waiters, {});
  for (Waiter& waiter : waiters) {
    waiters_.erase(waiter.id);
    dependencies_.timers->Cancel(waiter.timer);
    waiter.info.waited = Microseconds(now - waiter.began);
    deliveries_.push_back(
        {waiter.id, std::move(waiter.done), Grant(segment, std::move(waiter.info))});
  }
}

void SegmentTable::FailWaiters(Segment* segment, const Status& why) {
  std::list<Waiter> waiters = std::exchange(segment->waiters, {});
  for (Waiter& waiter : waiters) {
    waiters_.erase(waiter.id);
    dependencies_.timers->Cancel(waiter.timer);
    deliveries_.push_back({waiter.id, std::move(waiter.done), why});
  }
}

void SegmentTable::Deliver() {
  if (delivering_) return;
  delivering_ = true;
  while (!deliveries_.empty()) {
    Delivery delivery = std::move(deliveries_.front());
    deliveries_.pop_front();
    delivery.done(std::move(delivery.result));
  }
  delivering_ = false;
}

}  // namespace trims
