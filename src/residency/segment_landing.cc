// What comes into a tier by another way than a load (load/landing_tier.h).
#include <utility>

#include "base/bytes_text.h"
#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {
namespace {

// How long its next load will take, by which it is ranked until then: that one reads the disk.
constexpr double kDiskBytesPerSecond = 1e9;

Duration TimeToLoad(uint64_t bytes) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(static_cast<double>(bytes) / kDiskBytesPerSecond));
}

}  // namespace

class SegmentTable::TakenRoom final : public LandingRoom {
 public:
  TakenRoom(SegmentTable* table, Reservation room)
      : alive_(table->alive_), table_(table), room_(std::move(room)) {
    table_->landing_bytes_ += room_.bytes();
  }
  ~TakenRoom() override {
    if (alive_.expired() || room_.bytes() == 0) return;
    GiveBack();
    table_->FillRoom();
  }
  TakenRoom(const TakenRoom&) = delete;
  TakenRoom& operator=(const TakenRoom&) = delete;

  // For somebody who takes it on at once.
  void GiveBack() {
    table_->landing_bytes_ -= room_.bytes();
    room_.Release();
  }

 private:
  const std::weak_ptr<bool> alive_;
  SegmentTable* const table_;
  Reservation room_;
};

Result<std::unique_ptr<LandingRoom>> SegmentTable::TakeRoom(uint64_t bytes) {
  if (!policy().Keeps()) {
    return Status(StatusCode::kFailedPrecondition,
                  "the tier '" + std::string(tier_name()) + "' keeps nothing that nobody holds");
  }
  if (room_queue_.Shortage(bytes, 0) > 0) return NothingFree(bytes);
  TRIMS_ASSIGN_OR_RETURN(Reservation room, tier_->budget().Reserve(bytes));
  return std::unique_ptr<LandingRoom>(std::make_unique<TakenRoom>(this, std::move(room)));
}

void SegmentTable::Adopt(const ImagePtr& image, std::unique_ptr<LandingRoom> room,
                         ResidentBytes bytes) {
  const Waiters::Turn turn(&waiters_);
  Segment* segment = FindOrMake(image);
  // One that failed and is waited for will be tried again.
  const bool absent = segment->state() == SegmentState::kAbsent ||
                      (segment->state() == SegmentState::kFailed && WaitersOf(*segment) == 0);
  if (!absent) {
    const uint64_t landing = ++last_landing_;
    unwanted_.emplace(landing, std::move(room));
    return tier_->Release(std::move(bytes),
                          {.freed = IfAlive([this, landing] { unwanted_.erase(landing); })});
  }
  const bool beyond_quota = ledger_.Excess(image->reference, segment->footprint()) > 0;
  Result<Reservation> taken = Exchange(static_cast<TakenRoom*>(room.get()), segment->footprint());
  if (beyond_quota || !taken.ok()) {
    Forget(segment);
    return tier_->Release(std::move(bytes), {.freed = IfAlive([this] { FillRoom(); })});
  }
  const TimePoint now = dependencies_.clock->Now();
  const Duration load_time = TimeToLoad(segment->footprint());
  segment->SetCharge(ledger_.ChargeLoad(image->reference, segment->footprint(), now));
  segment->Reserve(image, PinOf(*image), now);
  segment->set_load(++last_load_);
  segment->BeginFill(*std::move(taken), now - load_time);
  segment->BytesBegin(now);
  tier_->TakeIn({.image = image, .control = segment->control()}, load_time, std::move(bytes),
                IfAlive([this, id = segment->id()](Result<ResidentBytes> taken) {
                  Filled(id, std::move(taken));
                }));
}

// The image takes a little more than its extents: its index.
Result<Reservation> SegmentTable::Exchange(TakenRoom* room, uint64_t bytes) {
  room->GiveBack();
  if (room_queue_.Shortage(bytes, 0) > 0) return NothingFree(bytes);
  return tier_->budget().Reserve(bytes);
}

Status SegmentTable::NothingFree(uint64_t bytes) const {
  return Status(StatusCode::kResourceExhausted,
                BytesText(bytes) + " are not free in tier '" + std::string(tier_name()) + "'");
}

}  // namespace trims
