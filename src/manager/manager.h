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

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "base/clock.h"
#include "store/host_memory.h"
#include "wire/principal.h"

namespace trims {

class Catalog;
class EvictionPolicy;
class Loader;
class Preparer;
class SegmentTable;
class Worker;

enum class Reclaim { kEager, kLazy };

struct ManagerOptions {
  uint64_t host_budget = 0;  // bytes
  Reclaim reclaim = Reclaim::kLazy;
  std::chrono::milliseconds default_deadline{std::chrono::seconds(60)};
  // After repeated failures of one segment.
  std::chrono::milliseconds max_back_off{std::chrono::seconds(10)};
  // Absolute folder of the prepared models; the manager makes and removes folders in it, and clears
  // what no catalog entry names when it starts. Empty: Add answers FAILED_PRECONDITION.
  std::string prepared_root;
};

// The bytes of one resident segment; immutable.
struct ResidentBytes {
  SealedExtent index;
  std::vector<SealedExtent> extents;
};

struct OpenParams {
  wire::Principal principal;
  std::string reference;
  Variant variant = Variant::kFiles;
  std::string variant_key;
  std::chrono::milliseconds deadline{0};  // 0: the default
};

// A client's right to a resident segment. Move-only; ending it on the loop may evict or free.
class Lease {
 public:
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();

  const ResidentBytes& bytes() const;
  const OpenInfo& info() const;

 private:
  friend class SegmentTable;
  struct Impl;
  explicit Lease(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

using OpenCallback = std::function<void(Result<Lease>)>;
using DocumentCallback = std::function<void(Result<std::string>)>;  // JSON
using ProgressCallback = std::function<void(std::string_view stage, uint64_t done, uint64_t total)>;

// Timers of the event loop; `CallAfter` returns an id that `Cancel` takes (no-op once it has
// fired).
class TimerService {
 public:
  virtual ~TimerService() = default;
  virtual uint64_t CallAfter(Duration delay, std::function<void()> call) = 0;
  virtual void Cancel(uint64_t id) = 0;
};

// All outlive the Manager.
struct ManagerDependencies {
  const Clock* clock = nullptr;
  TimerService* timers = nullptr;
  Catalog* catalog = nullptr;
  Loader* loader = nullptr;
  Preparer* preparer = nullptr;
  const EvictionPolicy* eviction = nullptr;
  Worker* worker = nullptr;  // worker.h; makes, syncs and removes folders. Without one, Add answers
                             // FAILED_PRECONDITION
};

class Manager {
 public:
  Manager(const ManagerOptions& options, const ManagerDependencies& dependencies);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // A waiter that was cancelled is not called back. 0 if the callback has run already.
  using WaiterId = uint64_t;
  WaiterId Open(const OpenParams& params, OpenCallback done);
  void CancelOpen(WaiterId waiter);

  // The principal must be the daemon's user or root. `progress` runs on the loop. Remove without a
  // version (or digest) forgets every version of that name. An Add goes on when its caller has
  // gone: its callbacks must tolerate that.
  void Add(const wire::Principal& principal, const std::string& reference,
           const std::string& source, const std::vector<Variant>& variants,
           ProgressCallback progress, DocumentCallback done);
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
