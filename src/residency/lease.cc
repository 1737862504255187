#include "residency/lease.h"

#include <algorithm>
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
    with_ = std::move(other.with_);
    counted_ = other.counted_;
  }
  return *this;
}

bool Lease::Keeps(std::string_view tier, std::string_view key) const {
  if (this->tier() != tier) return false;
  return segment_->key() == key || image_->key == key ||
         std::ranges::any_of(with_, [&](const Lease& lease) { return lease.Keeps(tier, key); });
}

void Lease::SetHolder(std::shared_ptr<const Holder> holder) {
  for (Lease& lease : with_) lease.SetHolder(holder);
  holder_ = std::move(holder);
}

void Lease::End() {
  charge_.Release();
  if (Segment* segment = std::exchange(segment_, nullptr))
    table_->EndLease(segment, std::move(holder_), counted_);
  with_.clear();
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
  if (SegmentTable* table = std::exchange(table_, nullptr)) table->CancelWait(waiter_);
}

}  // namespace trims
