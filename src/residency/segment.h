// Segment: one image on its way into one tier, resident in it, or on its way out of it.
//
// The image is what it is; everything else here is where it is. A segment lists its own steps, checks
// each against the table of segment_state.h and holds in each state exactly what that state is about:
//
//   state      room   control   bytes   leases
//   absent      –       –         –       –
//   reserved    –       –         –       –        waits for its room
//   loading    yes     yes        –       –
//   resident   yes      –        yes     any
//   draining   yes      –         –       –        its bytes are being freed
//   failed      –       –         –       –
//
//   segment.Reserve(image, std::move(pin), now);
//   const std::shared_ptr<FillControl> control = segment.BeginFill(std::move(room), now);
//   segment.Became(std::move(bytes), now);
//
// A step that the table forbids, or that would leave a state without what it is about, is a defect:
// going on could share bytes that are being freed, so the process ends and says which step it was.
// Thread-safety: loop only.
#ifndef TRIMS_RESIDENCY_SEGMENT_H_
#define TRIMS_RESIDENCY_SEGMENT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/clock.h"
#include "format/image.h"
#include "load/tier.h"
#include "residency/lease.h"
#include "residency/namespace_ledger.h"
#include "residency/segment_state.h"
#include "store/budget.h"
#include "store/eviction_policy.h"
#include "store/prepared_store.h"
#include "store/resident_bytes.h"
#include "store/tier_policy.h"

namespace trims {

// Why the last loads failed, and until when opens are answered with that instead of trying again.
struct LoadFailure {
  std::set<ImagePtr> images;  // whose files failed; another name's, of equal bytes, may be whole
  int in_a_row = 0;
  Status error;
  TimePoint retry_at;
};

inline constexpr size_t kHoldersRemembered = 8;

// Why this residence ends with its last lease.
enum class Leaving { kNo, kByOperator, kCopiedAbove, kCutAnew };

class Segment {
 public:
  // `footprint` is what the image takes of the tier.
  Segment(uint64_t id, ImagePtr image, uint64_t footprint)
      : id_(id), key_(image->key), footprint_(footprint), image_(std::move(image)) {
    use_.segment = id;
    use_.bytes = footprint;
  }
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  uint64_t id() const { return id_; }
  const std::string& key() const { return key_; }  // of the image, whatever its name
  // As of the last miss: equal content may be opened under several names.
  const Image& image() const { return *image_; }
  const ImagePtr& image_ptr() const { return image_; }
  uint64_t footprint() const { return footprint_; }
  SegmentState state() const { return state_; }

  // absent, failed → reserved. The pin keeps the prepared files until the load has ended.
  void Reserve(ImagePtr image, PreparedStore::Pin pin, TimePoint now);
  // reserved → loading.
  std::shared_ptr<FillControl> BeginFill(Reservation room, TimePoint now);
  // Its own bytes begin to come now: before, it may have waited for those of the tier beneath.
  void BytesBegin(TimePoint now) { bytes_began_ = now; }
  // loading → resident.
  void Became(ResidentBytes bytes, TimePoint now);
  // reserved, loading → failed. Gives the room back.
  void Fail();
  // resident → draining. None may hold a lease.
  ResidentBytes BeginDrain();
  // draining → absent. The room is free unless its bytes turned out to stay (Lingering).
  [[nodiscard]] Reservation EndDrain();
  // failed → absent.
  void GiveUp();

  // Before it is forgotten: nothing must be queued, filled or held for it.
  void RequireAbsent() const { Require(state_ == SegmentState::kAbsent, "absent"); }

  // What its bytes are held against; from Reserve on, until the room is given back.
  // Somebody still has the bytes that are being freed: they are its namespace's again.
  void CountKeptBytes() { charge_.SetLeaving(false); }
  void SetCharge(Charge charge) { charge_ = std::move(charge); }
  Charge TakeCharge() { return std::move(charge_); }
  const Charge& charge() const { return charge_; }

  // Wanted again while it drains: what it will be loaded from once it is gone.
  void WantAgain(ImagePtr image, PreparedStore::Pin pin);
  // For the admission after EndDrain or a failure.
  PreparedStore::Pin TakePin() { return std::move(pin_); }

  // Asks the load, if there is one, to end soon.
  void CancelFill();

  void AddLease();
  // How many are left. `holder` may be nullptr.
  uint64_t EndLease(TimePoint now, std::shared_ptr<const Holder> holder = nullptr);
  // Whose leases of this residence ended last, the newest first; at most kHoldersRemembered.
  const std::vector<std::shared_ptr<const Holder>>& last_holders() const { return last_holders_; }

  const ResidentBytes& bytes() const { return *bytes_; }
  // For a thread that reads them: the last owner frees them.
  std::shared_ptr<const ResidentBytes> shared_bytes() const { return bytes_; }
  bool has_bytes() const { return bytes_ != nullptr; }
  // Whether a daemon before this one had loaded what it holds.
  bool taken_over() const { return has_bytes() && bytes_->taken_over_load_time.has_value(); }
  // What it holds, if anything, at its table's end: no step follows.
  std::shared_ptr<ResidentBytes> TakeBytesAtEnd() { return std::exchange(bytes_, nullptr); }
  const std::shared_ptr<FillControl>& control() const { return control_; }
  // Which of the tier's loads the last one is: set as it is reserved.
  void set_load(uint64_t load) { load_ = load; }
  uint64_t load() const { return load_; }
  TimePoint reserved_at() const { return reserved_at_; }  // for the last load
  TimePoint bytes_began() const { return bytes_began_; }  // of it
  uint64_t leases() const { return leases_; }
  // Whether eviction may have it. Whoever adds a reason to stay adds it here, and has the table reconsider it when that
  // comes or goes.
  bool MayGo() const {
    return state_ == SegmentState::kResident && leases_ == 0 && !pinned() && !held_for_above();
  }
  Duration load_time() const { return load_time_; }
  // What its tier's Evictor ranks it by, and keeps.
  const EvictionCandidate& use() const { return use_; }
  EvictionCandidate* mutable_use() { return &use_; }
  uint64_t opens() const { return use_.opens; }
  TimePoint last_used() const { return use_.last_used; }

  void RememberFailure(const Status& why, TimePoint now, std::chrono::milliseconds max_back_off);
  const LoadFailure& failure() const { return failure_; }

  // Whether no catalog entry has this content any more: then it goes with its last lease.
  bool removed() const { return removed_; }
  void set_removed(bool removed) { removed_ = removed; }
  // Whether an operator wants it kept, whatever needs its room.
  bool pinned() const { return pinned_; }
  void set_pinned(bool pinned) { pinned_ = pinned; }
  // How long it outlives its last lease, where that was said of the model; otherwise as the tier's policy has it.
  const std::optional<OwnReclaim>& keep_alive() const { return keep_alive_; }
  void set_keep_alive(std::optional<OwnReclaim> keep_alive) { keep_alive_ = keep_alive; }
  // Whether it stays as long as a copy of it in a tier above.
  bool held_for_above() const { return held_for_above_; }
  void set_held_for_above(bool held) { held_for_above_ = held; }
  // Whether this residence is to end with its last lease, and why. The end of it ends that, too.
  bool leaving() const { return leaving_ != Leaving::kNo; }
  Leaving why_leaving() const { return leaving_; }
  void set_leaving(Leaving leaving) { leaving_ = leaving; }

 private:
  void Step(SegmentState to);
  void Require(bool holds, const char* what) const;

  const uint64_t id_;
  const std::string key_;
  const uint64_t footprint_;
  ImagePtr image_;
  SegmentState state_ = SegmentState::kAbsent;  // only Step changes it
  PreparedStore::Pin pin_;
  Reservation room_;
  Charge charge_;
  std::shared_ptr<FillControl> control_;
  std::shared_ptr<ResidentBytes> bytes_;
  LoadFailure failure_;
  uint64_t leases_ = 0;
  uint64_t load_ = 0;
  std::vector<std::shared_ptr<const Holder>> last_holders_;
  TimePoint reserved_at_;
  TimePoint fill_began_;
  TimePoint bytes_began_;
  Duration load_time_{0};
  EvictionCandidate use_;
  bool removed_ = false;
  bool pinned_ = false;
  bool held_for_above_ = false;
  Leaving leaving_ = Leaving::kNo;
  std::optional<OwnReclaim> keep_alive_;
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_SEGMENT_H_
