// SegmentTable: the segments of one tier: what is resident, who holds it, what goes when room is
// needed. The same class serves every tier.
//
// Room. A miss is admitted if its bytes fit into what is free, what is being freed and what the
// eviction policy gives up, less what earlier misses still wait for. Freeing takes time and happens
// on worker threads, so an admitted segment stays `reserved` in the RoomQueue until the memory
// really is gone and the budget has it back; only then it loads.
//
// Filling. The lowest tier fills from the files of the image. A higher one fills from the segment of
// the tier beneath, of which it holds a lease as long as that takes, or follows the fill there.
//
//   SegmentTable host(options, {.clock = …, .timers = …, .tier = &host_tier, …}, &counters);
//   Result<OpenOutcome> outcome = host.Open(image, params, [](Result<Lease> lease) { … });
//
// Completions of the tier find their segment by its id, and nothing if the table is gone. What it
// answers, and when, Waiters says. Thread-safety: loop only.
#ifndef TRIMS_RESIDENCY_SEGMENT_TABLE_H_
#define TRIMS_RESIDENCY_SEGMENT_TABLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trims/progress.h"

#include "events/event.h"
#include "format/device_forms.h"
#include "format/image.h"
#include "load/landing_tier.h"
#include "residency/copy_hold.h"
#include "residency/counters.h"
#include "residency/lease.h"
#include "residency/lingering.h"
#include "residency/open_plan.h"
#include "residency/residency_options.h"
#include "residency/room_queue.h"
#include "residency/room_texts.h"
#include "residency/room_use.h"
#include "residency/segment.h"
#include "residency/waiters.h"
#include "store/evictor.h"
#include "store/tier_policy.h"

namespace trims {

class SegmentTable final : public LandingTier {
 public:
  SegmentTable(const ResidencyOptions& options, const ResidencyDependencies& dependencies,
               Counters* counters);
  // Cancels loads and frees what is resident on the tier's threads; nobody is called back.
  ~SegmentTable() override;
  SegmentTable(const SegmentTable&) = delete;
  SegmentTable& operator=(const SegmentTable&) = delete;

  // A hit is a lease at once, and what can't be had is an error at once; `done` is called, later and
  // never inside this call, only where the outcome is a wait. TOO_LARGE, RESOURCE_EXHAUSTED, or why
  // the last loads failed. A deadline of 0 is the default one.
  Result<OpenOutcome> Open(const ImagePtr& image, std::chrono::milliseconds deadline,
                           OpenCallback done);
  // The same for a segment of the tier above that is to be filled from here: no client's open, so it
  // is not counted, and it waits for as long as the load takes. Of a piece it is what that is brought from.
  Result<OpenOutcome> OpenForAbove(const Segment& above, OpenCallback done);
  // The same for a segment of another device's table, which has the same.
  Result<OpenOutcome> OpenForPeer(const Segment& peers, OpenCallback done);
  // Of a load in flight, if that can be followed: it is of the same name's files, whose damage is the failure of
  // both. Otherwise nullptr.
  std::shared_ptr<FillControl> FillToFollow(const Segment& above) const;

  // What is not among `keys` is removed: it goes with its last lease, or its load, at once if there
  // is neither. What is among them stays as it is, also if it was removed before.
  void KeepOnly(const std::set<std::string_view>& keys);

  // From now on. What is resident stays as it is, but for what nobody holds where nothing is kept
  // any more: that goes at once.
  void SetPolicy(const TierPolicy& policy);

  // From now on, for what is opened then.
  void SetQuotas(const Quotas& quotas) { ledger_.SetQuotas(quotas); }

  // From now on. What is beyond a lower one goes as far as nobody holds it, by the policy, or by last use where that lets none
  // go; the rest goes with its leases. What waits for room that there no longer is is refused.
  void SetBudget(uint64_t limit);
  // The machine is short of memory: a step (PressureStep) of what nobody holds goes, down to `floor` bytes in use. How much went.
  uint64_t Relieve(uint64_t floor);

  // What an operator asks for (segment_control.cc).
  // Brings an image in, as OpenForAbove does: what keeps it from going again is the lease alone.
  Result<OpenOutcome> Prefetch(const ImagePtr& image, OpenCallback done);
  // From now on what has one of these keys is pinned, and nothing else: it stays, once it has come,
  // whatever needs its room.
  void SetPinned(std::set<std::string> keys);
  // From now on what has one of these keys outlives its last lease for so long, whatever the policy says of others.
  void SetKeepAlive(std::map<std::string, OwnReclaim> by_key);
  // How long it outlives its last lease: as was said of the model, or else as the policy has it.
  Reclaim ReclaimOf(const Segment& segment) const;
  // Whether what is brought stays when nobody holds it.
  bool Keeps(const Image& image) const;
  // How long it will stay, unless it is opened or its room is needed; none: for ever, or somebody holds it.
  std::optional<Duration> GoesIn(const Segment& segment) const;
  // FAILED_PRECONDITION: it is pinned, leased, waited for or on its way. OK where it isn't there.
  Status CheckMayEvict(const std::string& key) const;
  // What CheckMayEvict allows goes now; of what is leased, waited for or on its way this residence ends
  // with its last lease.
  void EvictWhenIdle(const std::string& key);
  // `call`, from now on, whenever the last lease or wait has ended; never inside the call that ended it.
  // Empty: nobody is told any more.
  void SetWhenQuiet(std::function<void()> call);
  bool Quiet() const { return leases_ == 0 && waiters_.size() == 0; }

  // What is brought here by another way (segment_landing.cc).
  Result<std::unique_ptr<LandingRoom>> TakeRoom(uint64_t bytes) override;
  void Adopt(const ImagePtr& image, std::unique_ptr<LandingRoom> room,
             ResidentBytes bytes) override;

  // How models that share parts lie here, where pages can't be mapped one by one (segment_forms.cc). From now on; what was cut otherwise
  // goes with its last lease, unless it is pinned, and is opened as it is until then.
  // `sharing`: all models that may share (format/device_forms.h).
  void SetSharing(std::span<const ImagePtr> sharing);
  // What is brought for it: a form, or itself. Valid as FormOf's.
  const ImagePtr& FormNow(const ImagePtr& image) const { return forms_.Of(image); }
  // What is opened for it: the same, or as it was cut before, as long as that is here. Valid until the next change of forms, as long as `image`.
  const ImagePtr& FormOf(const ImagePtr& image) const;
  // The same, but itself where nobody has asked for its form: then nothing of it is here.
  const ImagePtr& FormMade(const ImagePtr& image) const;
  // UNIMPLEMENTED: what it is put together of can't be put together here.
  Status CheckPutsTogether(const Image& image) const;
  // Whether all of it is resident.
  bool IsHere(const Image& image) const;
  // Bytes that are here more often than once, or that pieces leave empty.
  uint64_t Wasted() const;

  // What an open of it would come to now (segment_plan.cc).
  OpenPlan Plan(const ImagePtr& wanted) const;

  // For the tier above, which has a copy of what has this key (segment_copies.cc): it goes, with its last lease, unless it is
  // pinned or held.
  void DropForAbove(const std::string& key);

  // Tables of other devices, from whose segments this one's may be filled past the tier beneath (segment_peers.cc). They outlive
  // LetGoOfPeers(), after which nothing is filled from them.
  void SetPeers(std::vector<SegmentTable*> peers) { peers_ = std::move(peers); }
  void LetGoOfPeers();
  // From which of them it would be filled now; nullptr: none.
  SegmentTable* PeerFor(const Image& image) const;

  // nullptr: it is the lowest.
  const SegmentTable* beneath() const { return dependencies_.beneath; }

  // What an image takes of this tier.
  uint64_t FootprintOf(const Image& image) const {
    return image.parts.empty() ? tier_->FootprintOf(image) : image.footprint;
  }
  // nullptr if there is no such segment.
  const Segment* FindByKey(const std::string& key) const;
  std::vector<const Segment*> All() const;             // by id
  std::vector<const Lingering*> AllLingering() const;  // the oldest first
  // Of a load in flight; of another segment, what one would begin with.
  LoadProgress ProgressOf(const Segment& segment) const;
  size_t WaitersOf(const Segment& segment) const { return waiters_.CountOf(segment.id()); }
  RoomUse Use() const;
  const NamespaceLedger& ledger() const { return ledger_; }
  std::string_view tier_name() const { return tier_->name(); }
  std::string_view device() const { return tier_->device(); }  // empty: none
  std::string_view device_uuid() const { return tier_->device_uuid(); }
  const Budget& budget() const { return tier_->budget(); }
  uint64_t capacity() const { return tier_->capacity(); }
  uint64_t granule() const { return tier_->granule(); }
  const ResidencyOptions& options() const { return options_; }
  const TierPolicy& policy() const { return evictor_.policy(); }
  uint64_t leases() const { return leases_; }
  size_t waiters() const;          // opens; those for parts of one are not counted beside it
  size_t loads_in_flight() const;  // reserved and loading

 private:
  friend class CopyHold;
  friend class Lease;
  friend class OpenWait;
  class TakenRoom;

  // What a segment that fills from the tier beneath, or from a peer, has there.
  struct Beneath {
    std::optional<OpenWait> wait;
    std::optional<Lease> lease;
    bool followed = false;  // its fill there is
    bool peers = false;     // it is a peer's instead
    uint64_t load = 0;      // by which it came there
  };

  // Of a segment whose bytes the tier lets go of.
  struct Draining {
    uint64_t segment = 0;
    uint64_t timer = 0;  // once somebody was found to keep some of them
    std::vector<MemoryId> memory;
  };

  // Of a load that its tier had no memory for; until it has ended, or begins no more.
  struct Retry {
    std::set<uint64_t> drains;  // whose memory it waits for
    uint64_t evicted = 0;       // segments that went for it
    uint64_t evicted_bytes = 0;
  };

  // Who goes for a newcomer: of its own namespace's, which has too much, and then for what is still missing.
  struct Leavers {
    std::vector<Victim> over_quota;
    std::vector<Victim> for_room;
  };

  Segment* FindById(uint64_t id);
  Segment* FindOrMake(const ImagePtr& image);
  void Forget(Segment* segment);  // ends an absent or failed segment
  void DropRemoved(Segment* segment);
  PreparedStore::Pin PinOf(const Image& image) const;
  // Records it with what it is about; `event` has the rest.
  void Tell(const Segment& segment, Event event) const;

  // Opening (segment_open.cc).
  enum class Answered { kHit, kJoined, kMiss };
  // For whom: quotas bind clients, and of what is loaded for a tier above its loads.
  enum class Asker { kClient, kTierAbove, kOperator };
  // An open of an image that is put together, as far as its parts have come.
  struct Gathering {
    ImagePtr image;
    Asker asker = Asker::kClient;
    std::vector<std::optional<Lease>> leases;  // by part
    std::vector<std::optional<OpenWait>> waits;
    bool starts_load = false;
  };
  Result<OpenOutcome> Acquire(Segment* segment, const ImagePtr& image,
                              std::chrono::milliseconds deadline, OpenCallback done, Asker asker,
                              Answered* answered);
  Result<OpenOutcome> AcquireImage(const ImagePtr& image, std::chrono::milliseconds deadline,
                                   OpenCallback done, Asker asker, Answered* answered);
  Result<OpenOutcome> AcquireFor(const Segment& above, const ImagePtr& image, OpenCallback done);
  Status CheckQuota(const Segment& segment, const Image& image);
  void CountIfQuota(const Status& status, const Image& image);
  Lease Grant(Segment* segment, ImagePtr image, HowOpened opened);
  void EndLease(Segment* segment, std::shared_ptr<const Holder> holder, bool counted);  // by ~Lease
  Status StartMiss(Segment* segment, const ImagePtr& image, Asker asker);
  Status BackingOff(const Segment& segment, const ImagePtr& image) const;
  void ServeWaiters(Segment* segment);

  // What is put together (segment_parts.cc).
  Result<OpenOutcome> AcquireParts(const ImagePtr& image, std::chrono::milliseconds deadline,
                                   OpenCallback done, Asker asker, Answered* answered);
  Status CheckParts(const ImagePtr& image, Asker asker);
  Status CheckRoomForParts(const Image& image) const;
  Status GatherParts(uint64_t id, bool resident, Gathering* gathering);
  Lease AsPart(Lease lease);
  void PartCame(uint64_t id, size_t part, Result<Lease> lease);
  Lease PutTogether(const ImagePtr& image, std::vector<std::optional<Lease>> parts,
                    HowOpened opened);
  OpenPlan PlanParts(const ImagePtr& wanted) const;  // segment_plan.cc, as is
  void PlanRoom(const Image& image, OpenPlan* plan) const;
  LoadProgress ProgressOfParts(const Image& image) const;
  void CancelWait(uint64_t waiter);  // by ~OpenWait

  // Forms (segment_forms.cc).
  bool IsCutAnew(const Image& image) const;  // it is cut otherwise now
  void LetGoOfCutAnew();

  // Room (segment_room.cc).
  Status Admit(Segment* segment, ImagePtr image, PreparedStore::Pin pin);  // evicting if it must
  void Reconsider(const Segment& segment);  // whether it may go: after all that could change it
  void Shrink();                            // into its budget
  Status TooLarge(const Image& image) const;
  Status NoRoom(const Image& image) const;
  RoomNeed NeedOf(const Image& image) const;
  uint64_t Drain(Segment* segment, bool evicted = false);  // its number
  void EndDrain(Segment* segment);
  void KeepPromises();
  void Refuse(Segment* segment, const Status& why);  // one that waits for room
  void FillRoom();                                   // gives free room to those who wait for it
  void TellWhenQuiet();
  std::string TierOption() const;

  // Eviction (segment_eviction.cc). Who would go for it now, by the quotas and the policy; an error says why it can't
  // have its room.
  Result<Leavers> ChooseLeavers(const Image& image) const;
  Result<std::vector<Victim>> ChooseOverQuota(const Image& image) const;
  // `gone`: who goes anyway.
  Result<std::vector<Victim>> ChooseForRoom(uint64_t shortage, const Image& image,
                                            const std::vector<Victim>& gone = {}) const;
  EvictionOrder::MayGo Sparing(const Image& whom_for) const;
  void Evict(const std::vector<Victim>& victims, Segment* whom_for);
  // The drain's number.
  uint64_t EvictOne(Segment* victim, double rank, std::string_view reason,
                    std::string_view whom_for = {});
  void EvictIfItMay(const Victim& chosen, std::string_view reason, std::string_view whom_for);
  void EvictByOperator(Segment* segment);
  std::vector<Victim> VictimsOf(uint64_t bytes) const;
  uint64_t GiveUp(uint64_t bytes, std::string_view reason);                       // what went
  uint64_t GiveUpAtMost(uint64_t bytes, uint64_t most, std::string_view reason);  // the same
  uint64_t EvictIdle(const Victim& chosen, std::string_view reason, uint64_t most);

  // What goes, and no other needs its room (segment_keep_alive.cc).
  std::optional<OwnReclaim> KeepAliveOf(const std::string& key) const;
  Reclaim ReclaimBy(const std::optional<OwnReclaim>& own) const;
  bool Stays(const Segment& segment) const;       // once nobody holds it
  TimePoint DueOf(const Segment& segment) const;  // max: as long as it is used, or for ever
  void LetGo(Segment* segment);
  void LetGoWhenDue(const Segment& segment);
  void SetDueTimer(TimePoint due);
  void LetGoWhatIsDue();

  // What is brought (segment_landing.cc).
  Result<Reservation> Exchange(TakenRoom* room, uint64_t bytes);
  Status NothingFree(uint64_t bytes) const;

  // Copies of what this tier has, or has beneath (segment_copies.cc).
  void HoldForAbove(const std::string& key);
  void EndHoldForAbove(const std::string& key);
  void HoldBeneath(const Segment& segment);
  void DropBeneath(const Segment& segment);
  bool IsBroughtFrom(const std::string& key) const;  // by what still comes

  // Bytes that stay with others (segment_lingering.cc).
  void Freed(uint64_t drain);
  void Kept(uint64_t drain, std::vector<MemoryId> memory);
  void FindKeepers(uint64_t drain);
  void BeginLingering(uint64_t drain, std::vector<MemoryKeeper> keepers);
  void LogLingering(const Lingering& lingering) const;

  // Filling (segment_fill.cc).
  void StartFill(Segment* segment, Reservation room);
  void FillFromBeneath(Segment* segment);
  bool FillFromPeer(Segment* segment);
  bool TurnFromPeer(Segment* segment, const Status& why);
  std::optional<LoadProgress> ProgressForWaiter(uint64_t waiter) const;
  uint64_t LoadForWaiter(uint64_t waiter) const;
  void FailLater(uint64_t id, const Status& why);
  void CameBeneath(uint64_t id, Result<Lease> lease);
  void Fill(uint64_t id, FillRequest request);  // all but image and control
  void Filled(uint64_t id, Result<ResidentBytes> result);
  void CountFilled(const Segment& segment);
  // What a load took, for an event of its end; asked before the segment makes the step.
  Event LoadTimes(const Segment& segment, TimePoint now) const;
  void TellResident(const Segment& segment, Event times) const;
  void TellFailed(const Segment& segment, const Status& why, Event times) const;
  void FillFailed(Segment* segment, const Status& reason, Event times);
  void StartAnew(Segment* segment, ImagePtr image, PreparedStore::Pin pin);

  // Where the tier had no memory though the budget had (segment_retry.cc).
  bool MakeMemory(Segment* segment, const Status& why);
  void MemoryCame(uint64_t drain);
  bool WaitsForMemory(const Segment& segment) const;
  Status OutOfMemory(const Segment& segment, const Status& why) const;

  // `call` unless the table is gone by then.
  template <typename Call>
  auto IfAlive(Call call) {
    return [alive = std::weak_ptr<bool>(alive_), call = std::move(call)](auto&&... values) mutable {
      if (!alive.expired()) call(std::forward<decltype(values)>(values)...);
    };
  }

  // Constant.
  const ResidencyOptions options_;
  const ResidencyDependencies dependencies_;
  Tier* const tier_;
  Counters* const counters_;

  NamespaceLedger ledger_;  // before all that is charged
  RoomQueue room_queue_;
  Evictor evictor_;
  uint64_t draining_bytes_ = 0;
  uint64_t landing_bytes_ = 0;  // taken for what is brought
  uint64_t last_landing_ = 0;
  // Room of what was brought for nothing, until it is freed. It gives itself back on the loop, whoever drops the call that says so last.
  std::unordered_map<uint64_t, std::unique_ptr<LandingRoom>> unwanted_;
  uint64_t last_drain_ = 0;
  std::unordered_map<uint64_t, Draining> draining_;
  std::map<uint64_t, Lingering> lingering_;  // what was draining, by the same number
  uint64_t last_segment_ = 0;
  uint64_t last_load_ = 0;
  uint64_t leases_ = 0;
  std::map<uint64_t, std::unique_ptr<Segment>> segments_;
  std::unordered_map<std::string_view, Segment*> by_key_;  // views of the segments' own keys
  std::unordered_map<uint64_t, Beneath> beneath_;          // by the segment
  std::unordered_map<uint64_t, Retry> retries_;            // by the segment
  std::map<uint64_t, Gathering> gatherings_;               // by a number that no segment has
  std::vector<SegmentTable*> peers_;
  std::set<std::string> pinned_;                    // keys
  std::map<std::string, OwnReclaim> keep_alive_;    // by key
  TimePoint next_due_ = TimePoint::max();           // of what goes in time; max: none
  uint64_t due_timer_ = 0;                          // for that
  std::map<std::string, uint64_t> held_for_above_;  // by key, how many copies
  std::unordered_map<uint64_t, std::vector<CopyHold>> copy_holds_;  // beneath, by the segment here
  DeviceForms forms_;
  // Forms of before that are here, by the image's key.
  std::unordered_map<std::string, std::vector<ImagePtr>> earlier_forms_;
  std::function<void()> when_quiet_;  // mostly empty
  bool telling_quiet_ = false;
  Waiters waiters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_SEGMENT_TABLE_H_
