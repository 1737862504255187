// Manager: the brain of the MRM. It resolves references, opens models in the tiers, adds and removes
// them, and says what there is.
//
// Single-threaded: every member is called on the event loop and every callback runs there. What
// blocks (reading, hashing, SQLite, sealing, freeing, preparing) runs on worker threads or child
// processes behind the interfaces in ManagerDependencies, whose completions are posted back to the
// loop.
//
//   Result<OpenOutcome> outcome = manager.Open(params, [](Result<Lease> lease) { … });
//
// A load goes on when everybody who waited for it has given up, so that a deadline shorter than the
// load can't keep a model from ever becoming resident; only the removal of the model or the end of
// the Manager cancels it.
//
// Ownership: a Lease keeps its segment resident; when the last one ends, the reclaim policy
// decides. All leases and waits must have ended before the Manager is destroyed.
#ifndef TRIMS_MANAGER_MANAGER_H_
#define TRIMS_MANAGER_MANAGER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "base/clock.h"
#include "base/prepare_wishes.h"
#include "ingest/preparer.h"
#include "ingest/registrar.h"
#include "manager/change_policy.h"
#include "manager/controller.h"
#include "manager/drainer.h"
#include "manager/keep_alives.h"
#include "manager/snapshot.h"
#include "residency/lease.h"
#include "residency/residency_options.h"
#include "wire/principal.h"

namespace trims {

class Catalog;
class EventFeed;
class FdWatcher;
class PreparedStore;
class SegmentKeeper;
class SourceFetcher;
class Tier;
class TimerService;
class Worker;

struct ManagerOptions {
  ResidencyOptions residency;
  IngestOptions ingest;
};

struct AddWishes {
  PrepareWishes prepare = {};
  Retention keep = {};  // then, of this name
};

// All outlive the Manager.
struct ManagerDependencies {
  const Clock* clock = nullptr;
  TimerService* timers = nullptr;
  Catalog* catalog = nullptr;
  std::vector<Tier*> tiers;  // the host's memory, and the devices', which fill from it
  Preparer* preparer = nullptr;
  PreparedStore* prepared = nullptr;  // without one, Add answers FAILED_PRECONDITION
  uint64_t disk_capacity = 0;         // what a disk budget in per cent is a share of
  Worker* worker = nullptr;
  // IngestDependencies' own.
  SourceFetcher* fetcher = nullptr;
  Worker* verifying = nullptr;
  Worker* pushing = nullptr;
  PostToLoop post;
  // What the daemon before left of the host's memory, which is brought in from the start on; nullptr: nothing.
  SegmentKeeper* keeper = nullptr;
  FdWatcher* watcher = nullptr;  // with a keeper
};

class Manager {
 public:
  Manager(const ManagerOptions& options, const ManagerDependencies& dependencies);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // A hit and a refusal are known at once; `done` is called, never inside this call, only where the
  // outcome is a wait that is still held. NOT_FOUND: no such model, variant or tier.
  Result<OpenOutcome> Open(const OpenParams& params, OpenCallback done);

  // Once what the daemon before left has been brought in; at once where that has been, or there is nothing. One at a time.
  // Who opens before may find it on its way.
  void AwaitStarted(std::function<void()> done);

  using ModelCallback = std::function<void(Result<ModelDetails>)>;

  // The principal must be the daemon's user or root. `progress` runs on the loop. Remove without a
  // version (or digest) forgets every version of that name; FAILED_PRECONDITION, and none is: an alias
  // means one of them. An Add goes on when its caller has
  // gone: its callbacks must tolerate that. With a retention, other versions of that name are
  // forgotten, unless an alias means them, they are pinned, or somebody holds or waits for them.
  void Add(const wire::Principal& principal, const std::string& reference,
           const std::string& source, const AddWishes& wishes, Preparer::Progress progress,
           ModelCallback done);
  void Remove(const wire::Principal& principal, const std::string& reference, RemoveCallback done);

  // Reads the files of a model, or of all, and prepares what is damaged again, from where it came from;
  // models stay open and usable meanwhile. As an Add it goes on when its caller has gone. NOT_FOUND: no
  // such model; RESOURCE_EXHAUSTED: one is under way. What was found is a value, not an error.
  void Verify(const wire::Principal& principal, const VerifyWishes& wishes,
              Preparer::Progress progress, VerifyCallback done);

  // Writes what is prepared of a model to `destination`, a folder (file://…) or a prefix of a bucket
  // (s3://BUCKET/PREFIX/), from which another node's Add takes it as it is. One after the other. Goes on when
  // its caller has gone. NOT_FOUND; UNIMPLEMENTED: another kind of URL; errors as PushToFolder's and
  // PushToBucket's.
  void Push(const wire::Principal& principal, const std::string& reference,
            const std::string& destination, Preparer::Progress progress, PushCallback done);

  // What decides in one tier about what stays, from now on; what is empty stays as it is. Whoever changes
  // something must be the daemon's user or root. INVALID_ARGUMENT: no such policy, and nothing is
  // changed; NOT_FOUND: no such tier.
  Result<TierSnapshot> ChangePolicy(const wire::Principal& principal, const PolicyWishes& wishes);
  // What the prepared models may take of the disk, from now on: "500GB", "60%", "none"; empty: as it is.
  // FAILED_PRECONDITION: there is no prepared store.
  Result<DiskSnapshot> ChangeDiskBudget(const wire::Principal& principal, std::string_view budget);

  // What stays, comes and goes in a tier by an operator's word: the principal must be the daemon's user
  // or root. Loads go on when their caller has gone.
  //
  // Pin: the variants named, or else the one that is most likely opened ("ort", "tensors", "files"), are
  // loaded if they aren't there, and stay from then on, also across restarts: neither evicted nor
  // reclaimed. RESOURCE_EXHAUSTED, TOO_LARGE: no room for them, with the numbers and what holds it.
  // Unpin: those named, or else all that are pinned, also in a tier that this daemon has not.
  void Pin(const wire::Principal& principal, const ControlWishes& wishes,
           Preparer::Progress progress, ControlCallback done);
  void Unpin(const wire::Principal& principal, const ControlWishes& wishes, ControlCallback done);
  // The same variants as Pin are loaded. FAILED_PRECONDITION: the tier keeps nothing that nobody holds. Tier "disk": their
  // files come to this node's disk (DiskPrefetcher).
  void Prefetch(const wire::Principal& principal, const ControlWishes& wishes,
                Preparer::Progress progress, ControlCallback done);
  // What is there of the variants named, or else of all, goes; FAILED_PRECONDITION, and nothing goes: one
  // is leased (the message says who holds it), on its way or pinned. With `when_idle` such goes with its
  // last lease, unless it is pinned.
  Result<ControlledModel> Evict(const wire::Principal& principal, const ControlWishes& wishes);
  // One tier down: what is not in the tier beneath is loaded there first.
  void Demote(const wire::Principal& principal, const ControlWishes& wishes,
              Preparer::Progress progress, ControlCallback done);
  // How long a model outlives its last lease, in every tier of memory: KeepAlives::Set.
  void SetKeepAlive(const wire::Principal& principal, const std::string& reference,
                    std::string_view text, KeptAliveCallback done);
  // What an open would come to now: of the variant named, or of the one that is most likely opened; anybody may ask. NOT_FOUND: no such
  // model, variant or tier. What would be refused is a value.
  Result<ExplainedOpen> Explain(const ControlWishes& wishes) const;
  // From now on opens are UNAVAILABLE, and leases end by themselves; or, with `on` false, no more.
  Result<DrainSnapshot> Drain(const wire::Principal& principal, bool on,
                              const FindHolders& holders);
  // Once there is no lease, and nobody waits for one. CANCELLED: the drain was ended before.
  void AwaitQuiet(DrainCallback done);
  const Budget& HostBudget() const;
  // The machine is short of memory: what nobody holds goes from the host's in steps, down to `floor` bytes.
  void RelievePressure(uint64_t floor);
  // What is most likely opened of a model is loaded, as far as there is room. What fails is logged.
  void Preload(const std::string& reference);

  // Aliases (catalog/alias.h). The change is durable when it is answered; opens that begin then get the
  // version that it means, and who has another open keeps it. Set: to what `reference` means now.
  // ALREADY_EXISTS: a model has that name. Rollback: to what it meant before its last move;
  // FAILED_PRECONDITION: nothing, or what is no longer there.
  void SetAlias(const wire::Principal& principal, const std::string& alias,
                const std::string& reference, AliasCallback done);
  void DeleteAlias(const wire::Principal& principal, const std::string& alias, AliasCallback done);
  void Rollback(const wire::Principal& principal, const std::string& alias, AliasCallback done);
  std::vector<Alias> Aliases() const;  // by name

  std::vector<ModelSnapshot> Models() const;  // by name, then newest first
  Result<ModelDetails> Model(const std::string& reference) const;
  // With `holders`, of what was removed or is to go and can't: who has it leased.
  ManagerSnapshot Snapshot(const FindHolders& holders = {}) const;

  // What it does, as it does it. The server adds what it alone knows.
  EventFeed& events() const;

  // Whether there are no leases, loads or preparations: what an idle daemon has none of.
  bool Idle() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_MANAGER_H_
