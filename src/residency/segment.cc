#include "residency/segment.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"

namespace trims {
namespace {

constexpr std::chrono::milliseconds kFirstBackOff{100};
constexpr int kMaxDoublings = 20;

// None after the first failure, so that a chance one costs nothing; then doubling.
Duration BackOff(int failures_in_a_row, std::chrono::milliseconds most) {
  if (failures_in_a_row < 2) return Duration::zero();
  const int doublings = std::min(failures_in_a_row - 2, kMaxDoublings);
  return std::min<Duration>(kFirstBackOff * (int64_t{1} << doublings), most);
}

// A connection that opens and closes all the time is found at once.
void Remember(std::shared_ptr<const Holder> holder,
              std::vector<std::shared_ptr<const Holder>>* holders) {
  const auto known = std::find(holders->begin(), holders->end(), holder);
  if (known != holders->end()) {
    std::rotate(holders->begin(), known, known + 1);
    return;
  }
  if (holders->size() >= kHoldersRemembered) holders->pop_back();
  holders->insert(holders->begin(), std::move(holder));
}

}  // namespace

void Segment::Require(bool holds, const char* what) const {
  if (holds) return;
  LogError(
      "segment.defect",
      {{"segment", image_->reference}, {"state", SegmentStateName(state_)}, {"expected", what}});
  std::abort();
}

void Segment::Step(SegmentState to) {
  if (!IsLegalTransition(state_, to)) {
    LogError("segment.illegal_transition", {{"segment", image_->reference},
                                            {"from", SegmentStateName(state_)},
                                            {"to", SegmentStateName(to)}});
    std::abort();
  }
  LogDebug("segment.step", {{"segment", image_->reference},
                            {"variant", VariantName(image_->kind)},
                            {"from", SegmentStateName(state_)},
                            {"to", SegmentStateName(to)}});
  state_ = to;
  const bool holds_room = to == SegmentState::kLoading || to == SegmentState::kResident ||
                          to == SegmentState::kDraining;
  Require(room_.bytes() == (holds_room ? footprint() : 0), "room in loading, resident, draining");
  Require((control_ != nullptr) == (to == SegmentState::kLoading), "a control in loading");
  Require(has_bytes() == (to == SegmentState::kResident), "bytes in resident");
  Require(leases_ == 0, "no lease across a step");
}

void Segment::Reserve(ImagePtr image, PreparedStore::Pin pin, TimePoint now) {
  Require(image->key == key_, "an image of equal content");
  image_ = std::move(image);
  pin_ = std::move(pin);
  reserved_at_ = now;
  bytes_began_ = now;  // until they do
  Step(SegmentState::kReserved);
}

std::shared_ptr<FillControl> Segment::BeginFill(Reservation room, TimePoint now) {
  room_ = std::move(room);
  control_ = std::make_shared<FillControl>();
  fill_began_ = now;
  Step(SegmentState::kLoading);
  return control_;
}

void Segment::Became(ResidentBytes bytes, TimePoint now) {
  control_.reset();
  bytes_ = std::make_shared<ResidentBytes>(std::move(bytes));
  Step(SegmentState::kResident);
  pin_ = {};
  failure_ = {};
  charge_.EndLoad();
  load_time_ = bytes_->taken_over_load_time.value_or(now - fill_began_);
}

void Segment::Fail() {
  leaving_ = Leaving::kNo;
  control_.reset();
  room_.Release();
  charge_.Release();
  Step(SegmentState::kFailed);
}

ResidentBytes Segment::BeginDrain() {
  Require(has_bytes(), "resident");
  leaving_ = Leaving::kNo;
  ResidentBytes bytes = std::move(*std::exchange(bytes_, nullptr));
  Step(SegmentState::kDraining);
  charge_.SetLeaving(true);
  return bytes;
}

Reservation Segment::EndDrain() {
  Reservation room = std::move(room_);
  Step(SegmentState::kAbsent);
  last_holders_.clear();
  return room;
}

void Segment::GiveUp() { Step(SegmentState::kAbsent); }

void Segment::WantAgain(ImagePtr image, PreparedStore::Pin pin) {
  Require(state_ == SegmentState::kDraining, "draining");
  Require(image->key == key_, "an image of equal content");
  image_ = std::move(image);
  pin_ = std::move(pin);
}

void Segment::CancelFill() {
  if (control_ != nullptr) control_->Cancel();
}

void Segment::AddLease() {
  Require(state_ == SegmentState::kResident, "resident");
  ++leases_;
}

uint64_t Segment::EndLease(TimePoint now, std::shared_ptr<const Holder> holder) {
  Require(leases_ > 0, "a lease");
  if (holder != nullptr) Remember(std::move(holder), &last_holders_);
  use_.last_used = now;
  return --leases_;
}

void Segment::RememberFailure(const Status& why, TimePoint now,
                              std::chrono::milliseconds max_back_off) {
  failure_.images.insert(image_);
  failure_.error = why;
  failure_.retry_at = now + BackOff(++failure_.in_a_row, max_back_off);
}

}  // namespace trims
