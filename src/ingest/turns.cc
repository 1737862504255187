#include "ingest/turns.h"

namespace trims {

void Turns::Turn::End() {
  const std::weak_ptr<Turns*> own = std::move(turns_);
  if (own.expired()) return;
  Turns* const turns = *own.lock();  // not kept: GoOn must see it go
  turns->taken_ = false;
  turns->GoOn();
}

void Turns::GoOn() {
  if (going_on_) return;
  going_on_ = true;
  const std::weak_ptr<Turns*> self = self_;
  while (!taken_ && !waiting_.empty()) {
    const std::function<void(Turn)> next = std::move(waiting_.front());
    waiting_.pop_front();
    taken_ = true;
    next(Turn(self));
    if (self.expired()) return;
  }
  going_on_ = false;
}

}  // namespace trims
