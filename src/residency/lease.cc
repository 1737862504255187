#include "residency/lease.h"

#include <utility>

#include "residency/segment_table.h"

namespace trims {

const ResidentBytes& Lease::bytes() const { return segment_->bytes(); }
std::shared_ptr<const ResidentBytes> Lease::shared_bytes() const {
  return segment_->shared_bytes();
}
std::string_view Lease::tier() const { return table_->tier_name(); }
uint64_t Lease::load() const { return segment_->load(); }
std::string_view Lease::device() const { return table_->device(); }
std::string_view Lease::device_uuid() const { return table_->device_uuid(); }

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    End();
    table_ = other.table_;
    segment_ = std::exchange(other.segment_, nullptr);
    image_ = std::move(other.image_);
    holder_ = std::move(other.holder_);
    charge_ = std::move(other.charge_);
    opened_ = other.opened_;
  }
  return *this;
}

void Lease::End() {
  charge_.Release();
  if (Segment* segment = std::exchange(segment_, nullptr))
    table_->EndLease(segment, std::move(holder_));
}

OpenWait& OpenWait::operator=(OpenWait&& other) noexcept {
  if (this != &other) {
    Cancel();
    table_ = std::exchange(other.table_, nullptr);
    waiter_ = other.waiter_;
    deadline_ = other.deadline_;
    joined_ = other.joined_;
  }
  return *this;
}

std::optional<LoadProgress> OpenWait::progress() const {
  return table_ == nullptr ? std::nullopt : table_->ProgressForWaiter(waiter_);
}

uint64_t OpenWait::load() const { return table_ == nullptr ? 0 : table_->LoadForWaiter(waiter_); }

void OpenWait::Cancel() {
  if (SegmentTable* table = std::exchange(table_, nullptr)) table->waiters_.Cancel(waiter_);
}

}  // namespace trims
