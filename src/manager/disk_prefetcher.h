// DiskPrefetcher: brings the files of a model that lies elsewhere (trims push) to this node's disk, so that the next load
// reads them there. They pass through the host's memory, as in any load, whose room they take until they are written; what was not
// there before goes again then, unless somebody opens it meanwhile. What was added from a source is on the disk anyway.
//
// Thread-safety: loop only. Ends before the tiers; nobody is called back any more then.
#ifndef TRIMS_MANAGER_DISK_PREFETCHER_H_
#define TRIMS_MANAGER_DISK_PREFETCHER_H_

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "catalog/catalog.h"
#include "format/image.h"
#include "ingest/preparer.h"
#include "loop/timer_service.h"
#include "loop/while_alive.h"
#include "manager/bringer.h"
#include "manager/choose_tier.h"
#include "manager/controller.h"
#include "store/prepared_store.h"
#include "wire/principal.h"

namespace trims {

inline constexpr std::string_view kDiskTier = "disk";

// Whether this node's disk has all files of an image. Without a store there is no other place.
bool IsOnDisk(const Image& image, const PreparedStore* prepared);

class DiskPrefetcher {
 public:
  // All outlive it. `prepared` may be nullptr.
  DiskPrefetcher(const Catalog* catalog, PreparedStore* prepared, TimerService* timers,
                 const Tiers* tiers)
      : catalog_(catalog), prepared_(prepared), tiers_(tiers), bringer_(timers) {}
  DiskPrefetcher(const DiskPrefetcher&) = delete;
  DiskPrefetcher& operator=(const DiskPrefetcher&) = delete;

  // The variants named, or else the one that is most likely opened. Errors as of an open; FAILED_PRECONDITION: it is in
  // memory already, and no load writes it; RESOURCE_EXHAUSTED: the disk has not the room.
  void Prefetch(const wire::Principal& principal, const ControlWishes& wishes,
                Preparer::Progress progress, ControlCallback done);

 private:
  struct Job;
  using JobPtr = std::shared_ptr<Job>;

  Result<JobPtr> Find(const ControlWishes& wishes) const;
  Status CheckLoads(const Image& image) const;
  void Came(const JobPtr& job, Result<std::vector<Lease>> leases);
  void Written(const JobPtr& job);
  void End(const JobPtr& job, const Status& status);

  const Catalog* const catalog_;
  PreparedStore* const prepared_;
  const Tiers* const tiers_;
  Bringer bringer_;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_DISK_PREFETCHER_H_
