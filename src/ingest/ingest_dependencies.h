// What adding and removing need, what they count, and how they answer. The manager's vocabulary for
// the registrar, and the registrar's for its two halves.
#ifndef TRIMS_INGEST_INGEST_DEPENDENCIES_H_
#define TRIMS_INGEST_INGEST_DEPENDENCIES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/granularity.h"
#include "catalog/catalog.h"
#include "events/event.h"
#include "ingest/preparer.h"
#include "ingest/source_fetcher.h"
#include "load/landing_tier.h"
#include "loop/post_to_loop.h"
#include "loop/timer_service.h"
#include "loop/worker.h"
#include "store/prepared_store.h"

namespace trims {

struct IngestOptions {
  size_t max_adds = 64;                           // at once; further ones get RESOURCE_EXHAUSTED
  Granularity granularity = Granularity::kModel;  // of what is added without a word about it
};

// All outlive the registrar.
struct IngestDependencies {
  Catalog* catalog = nullptr;
  Preparer* preparer = nullptr;
  // Without either of these, Add answers FAILED_PRECONDITION.
  PreparedStore* prepared = nullptr;
  Worker* worker = nullptr;          // looks at sources and merges manifests; the store's too
  SourceFetcher* fetcher = nullptr;  // without it, sources on a network are UNIMPLEMENTED
  // Into which a download of one file comes; nullptr: into none.
  LandingTier* landing = nullptr;
  Worker* verifying =
      nullptr;  // reads whole models; without it, Verify answers FAILED_PRECONDITION
  TimerService* timers = nullptr;  // without it, Verify tells its progress between images alone
  Worker* pushing = nullptr;    // writes whole models; without it, Push answers FAILED_PRECONDITION
  EventSink* events = nullptr;  // nullptr: nobody hears of what it does
  PostToLoop post;  // brings the progress of a push to the loop; empty: nobody hears of it
  // The catalog has other content now.
  std::function<void()> catalog_changed;

  void Tell(Event event) const {
    if (events != nullptr) events->Record(std::move(event));
  }
};

// Since the daemon started.
struct IngestCounters {
  uint64_t adds = 0;
  uint64_t add_failures = 0;
  uint64_t removes = 0;
};

struct RemovedModel {
  std::string reference;  // "namespace/name:version"
  std::string digest;
};

// The entry holds until the catalog changes again.
using AddCallback = std::function<void(Result<const CatalogEntry*>)>;
using RemoveCallback = std::function<void(Result<std::vector<RemovedModel>>)>;

}  // namespace trims

#endif  // TRIMS_INGEST_INGEST_DEPENDENCIES_H_
