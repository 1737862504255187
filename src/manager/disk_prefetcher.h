// DiskPrefetcher: brings the files of a model that lies elsewhere (trims push) to this node's disk, so that the next load
// reads them there. They pass through the host's memory, as in any load, whose room they take until they are written; what nobody
// else has opened or fetched goes again then. What was added from a source is on the disk anyway.
//
// Thread-safety: loop only. Ends before the tiers; nobody is called back any more then.
#ifndef TRIMS_MANAGER_DISK_PREFETCHER_H_
#define TRIMS_MANAGER_DISK_PREFETCHER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
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
  // memory already, and no load writes it; RESOURCE_EXHAUSTED: the disk has not the room; DATA_LOSS: it could not be written.
  void Prefetch(const wire::Principal& principal, const ControlWishes& wishes,
                Preparer::Progress progress, ControlCallback done);

 private:
  // This object's, leases and all: whoever it waits for may outlive the tiers, and knows a job by its number.
  struct Job {
    std::string reference;
    std::vector<ImagePtr> images;
    std::vector<ImagePtr> missing;
    std::vector<Lease> leases;  // of what is missing, until it is written
    size_t unwritten = 0;
    ControlCallback done;  // empty: nobody waits
  };

  Result<Job> Find(const ControlWishes& wishes) const;
  Status CheckLoads(const Image& image) const;
  Status CheckRoom(const Image& image) const;
  void Came(uint64_t id, Result<std::vector<Lease>> leases);
  void Written(uint64_t id);
  Status CheckWritten(const Job& job) const;
  void End(uint64_t id, const Status& status);
  ControlledModel OutcomeOf(const Job& job) const;

  const Catalog* const catalog_;
  PreparedStore* const prepared_;
  const Tiers* const tiers_;
  uint64_t last_ = 0;
  std::map<uint64_t, Job> jobs_;
  Bringer bringer_;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_DISK_PREFETCHER_H_
