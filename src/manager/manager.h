// Manager: the brain of the MRM. It resolves references, admits, joins or starts loads, hands out
// leases and evicts.
//
// Single-threaded: every member is called on the event loop and every callback runs there. What
// blocks (reading, hashing, SQLite, sealing, freeing, preparing) runs on worker threads or child
// processes behind the interfaces in ManagerDependencies, whose completions are posted back to the
// loop.
//
//   manager.Open(params, [](Result<Lease> lease) { … });    // may call back at once
//
// A load goes on when everybody who waited for it has given up, so that a deadline shorter than the
// load can't keep a model from ever becoming resident; only the removal of the model or the end of
// the Manager cancels it.
//
// Ownership: a Lease keeps its segment resident; when the last one ends, the reclaim policy
// decides. All leases must have ended before the Manager is destroyed.
#ifndef TRIMS_MANAGER_MANAGER_H_
#define TRIMS_MANAGER_MANAGER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "base/clock.h"
#include "ingest/preparer.h"
#include "ingest/registrar.h"
#include "residency/lease.h"
#include "residency/residency_options.h"
#include "wire/principal.h"

namespace trims {

class Catalog;
class EvictionPolicy;
class Loader;
class TimerService;
class Worker;

struct ManagerOptions {
  ResidencyOptions residency;
  IngestOptions ingest;
};

using DocumentCallback = std::function<void(Result<std::string>)>;  // JSON

// All outlive the Manager.
struct ManagerDependencies {
  const Clock* clock = nullptr;
  TimerService* timers = nullptr;
  Catalog* catalog = nullptr;
  Loader* loader = nullptr;
  Preparer* preparer = nullptr;
  const EvictionPolicy* eviction = nullptr;
  Worker* worker = nullptr;
};

class Manager {
 public:
  Manager(const ManagerOptions& options, const ManagerDependencies& dependencies);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // A waiter that was cancelled is not called back. 0 if the callback has run already.
  WaiterId Open(const OpenParams& params, OpenCallback done);
  void CancelOpen(WaiterId waiter);

  // The principal must be the daemon's user or root. `progress` runs on the loop. Remove without a
  // version (or digest) forgets every version of that name. An Add goes on when its caller has
  // gone: its callbacks must tolerate that.
  void Add(const wire::Principal& principal, const std::string& reference,
           const std::string& source, const std::vector<Variant>& variants,
           Preparer::Progress progress, DocumentCallback done);
  void Remove(const wire::Principal& principal, const std::string& reference,
              DocumentCallback done);

  std::string ListDocument() const;
  Result<std::string> ShowDocument(const std::string& reference) const;
  // Counters, budget, segments with their states and leases, failures. The server adds its own
  // part.
  std::string StatusDocument() const;

  // Leases held, loads and preparations in flight: what an idle daemon has none of.
  bool Idle() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_MANAGER_H_
