// TakenOver: brings into the host's memory what the daemon before this one left there, and holds a lease for those
// who have it open since then.
//
// They got it from another daemon, and need not say anything to this one: the kernel knows who has what open
// (keeper/lent_mark.h), and tells when somebody has let go (keeper/close_watch.h). All of them together count as one
// lease of the segment, which keeps it from being evicted or reclaimed; it ends with the last of them.
//
// What is open comes first, then the rest, one after the other, as a prefetch does: where there is not room for
// all, the eviction policy decides. What no model has, or what finds no room, is dropped.
//
//   TakenOver taken_over({.keeper = …, .host = …, .timers = …, .watcher = …, .worker = …});
//   taken_over.Begin(images, [] { … });
//
// Thread-safety: loop only. Ends before the tier.
#ifndef TRIMS_MANAGER_TAKEN_OVER_H_
#define TRIMS_MANAGER_TAKEN_OVER_H_

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/image.h"
#include "keeper/close_watch.h"
#include "keeper/segment_keeper.h"
#include "loop/fd_watcher.h"
#include "loop/timer_service.h"
#include "loop/while_alive.h"
#include "loop/worker.h"
#include "manager/snapshot.h"
#include "residency/lease.h"
#include "residency/segment_table.h"

namespace trims {

// All outlive it.
struct TakenOverDependencies {
  SegmentKeeper* keeper = nullptr;
  SegmentTable* host = nullptr;
  TimerService* timers = nullptr;
  FdWatcher* watcher = nullptr;
  Worker* worker = nullptr;
};

class TakenOver {
 public:
  explicit TakenOver(const TakenOverDependencies& dependencies) : dependencies_(dependencies) {}
  ~TakenOver();
  TakenOver(const TakenOver&) = delete;
  TakenOver& operator=(const TakenOver&) = delete;

  // Of all that may be there: every image of the catalog. Once. `done`, which may be called inside this call: all
  // that comes has come.
  void Begin(const std::vector<ImagePtr>& images, std::function<void()> done);

  void AddTo(ManagerSnapshot* snapshot) const;
  // Those who have what has this key open since before; with no key, anything. They have no names here.
  void AddHolders(std::string_view tier, std::string_view key,
                  std::vector<LeaseHolder>* holders) const;

 private:
  struct Held {
    Lease lease;
    std::vector<int> watches;
  };

  void BringNext();
  // Whether it is there already; otherwise BringNext() goes on later.
  bool Bring(const ImagePtr& image);
  void Arrived(const ImagePtr& image, Result<Lease> lease);
  void DropRest();
  void Hold(Lease lease);
  Status Watch(Held* held);
  Status WatchCloses();
  void LookAgain();
  void LookSoon();
  void EndHold(const Held& held);

  static constexpr std::chrono::milliseconds kFirstLook{1};
  static constexpr std::chrono::milliseconds kLastLook{2000};

  const TakenOverDependencies dependencies_;
  std::function<void()> done_;
  std::deque<ImagePtr> waiting_;
  std::optional<OpenWait> wait_;
  std::unique_ptr<CloseWatch> closes_;  // once something is held
  std::unique_ptr<FdWatch> watch_;      // of closes_
  std::map<std::string, Held> held_;    // by the image's key
  uint64_t timer_ = 0;                  // 0: none
  std::chrono::milliseconds next_look_ = kFirstLook;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_TAKEN_OVER_H_
