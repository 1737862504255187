// SegmentTable: the segments of the host tier: who waits for them, who holds them, and the bytes
// they take.
//
// Room. A miss is admitted if its bytes fit into what is free, what is being freed and what the
// eviction policy gives up, less what earlier misses still wait for. Freeing takes time and happens
// on worker threads, so an admitted segment stays `reserved`, first come, first served, until the
// memory really is gone and the budget has it back; only then it loads.
//
// Deliveries. Callbacks run after the table is consistent again, from one queue, because a callback
// may open, cancel or end leases. Completions of the loader find the segment by its id, and nothing
// if the table is gone.
//
// Thread-safety: loop only.
#ifndef TRIMS_RESIDENCY_SEGMENT_TABLE_H_
#define TRIMS_RESIDENCY_SEGMENT_TABLE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/image.h"
#include "loop/timer_service.h"
#include "residency/counters.h"
#include "residency/lease.h"
#include "residency/residency_options.h"
#include "residency/segment.h"
#include "store/budget.h"

namespace trims {

// Bytes of the budget by what they are for.
struct RoomUse {
  uint64_t leased = 0;
  uint64_t idle = 0;
  uint64_t loading = 0;
  uint64_t draining = 0;
  uint64_t waiting = 0;  // not in the budget yet: reserved segments without room
};

class SegmentTable {
 public:
  SegmentTable(const ResidencyOptions& options, const ResidencyDependencies& dependencies,
               Counters* counters);
  ~SegmentTable();  // cancels loads and frees what is resident on the loader's threads; nobody is
                    // called back
  SegmentTable(const SegmentTable&) = delete;
  SegmentTable& operator=(const SegmentTable&) = delete;

  // Contract of Manager::Open, for a model that has been resolved.
  WaiterId Open(const ImagePtr& image, const OpenParams& params, OpenCallback done);
  void CancelOpen(WaiterId waiter);

  // Marks what is not among `keys` as removed: it goes with its last lease, or its load, at once if
  // there is neither.
  void KeepOnly(const std::set<std::string>& keys);

  // Whether a load that reads from `prepared_folder` may be in flight.
  bool LoadsFrom(const std::string& prepared_folder) const;
  // Called each time that a load has ended, well or not.
  void OnLoadEnd(std::function<void()> call) { on_load_end_ = std::move(call); }

  // nullptr if there is no such segment.
  const Segment* FindByKey(const std::string& key) const;
  std::vector<const Segment*> All() const;  // by id
  RoomUse Use() const;
  const Budget& budget() const { return budget_; }
  uint64_t leases() const { return leases_; }
  size_t waiters() const { return waiters_.size(); }
  size_t loads_in_flight() const;  // reserved and loading

 private:
  friend class Lease;
  struct Delivery {
    WaiterId waiter = 0;
    OpenCallback done;
    Result<Lease> result;
  };

  void Step(Segment* segment, SegmentState to);
  Segment* FindById(uint64_t id);
  Segment* FindOrMake(const Image& image);
  void Forget(Segment* segment);  // ends an absent or failed segment
  void DropRemoved(Segment* segment);

  // Opening (segment_open.cc).
  WaiterId Hit(Segment* segment, OpenInfo info, OpenCallback done);
  Status StartMiss(Segment* segment, const ImagePtr& image);
  WaiterId Refuse(const Status& why, const OpenCallback& done);
  WaiterId AddWaiter(Segment* segment, OpenInfo info, const OpenParams& params, OpenCallback done);
  Status BackingOff(const Segment& segment) const;
  void DeadlinePassed(WaiterId id);
  bool TakeWaiter(WaiterId id, Waiter* waiter);
  Lease Grant(Segment* segment, OpenInfo info);
  void EndLease(Segment* segment);  // by ~Lease
  void ServeWaiters(Segment* segment);
  void FailWaiters(Segment* segment, const Status& why);
  void Deliver();

  // Around every entry point: the outermost one delivers what has come up when it ends.
  class Entry {
   public:
    explicit Entry(SegmentTable* table) : table_(table) { ++table_->depth_; }
    ~Entry() {
      if (--table_->depth_ == 0) table_->Deliver();
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    SegmentTable* const table_;
  };

  // Room (segment_room.cc).
  Status Admit(Segment* segment);  // absent or failed → reserved, evicting if it must
  Status Evict(uint64_t needed, const Segment& whom_for);
  std::vector<uint64_t> ChooseVictims(uint64_t needed) const;
  Status NoRoom(const Segment& segment) const;
  void Drain(Segment* segment);
  void Drained(uint64_t id);
  void FillRoom();  // gives free room to the reserved segments in their order

  // Loading (segment_load.cc).
  void StartLoad(Segment* segment, Reservation room);
  void Loaded(uint64_t id, Result<ResidentBytes> result);
  void LoadFailed(Segment* segment, const Status& why);
  void RememberFailure(Segment* segment, const Status& why);

  // Constant.
  const ResidencyOptions options_;
  const ResidencyDependencies dependencies_;
  Counters* const counters_;

  Budget budget_;  // outlives the segments and their reservations
  uint64_t last_segment_ = 0;
  uint64_t last_waiter_ = 0;
  uint64_t leases_ = 0;
  std::map<uint64_t, std::unique_ptr<Segment>> segments_;
  std::unordered_map<std::string, Segment*> by_key_;
  std::unordered_map<WaiterId, Segment*> waiters_;
  std::deque<uint64_t> wait_for_room_;  // ids of reserved segments
  std::deque<Delivery> deliveries_;
  bool delivering_ = false;
  int depth_ = 0;  // of Entry
  std::function<void()> on_load_end_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_SEGMENT_TABLE_H_
