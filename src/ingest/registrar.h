// Registrar: how models come into the catalog and leave it.
//
// An Add prepares into a fresh folder, then publishes: sync, rename, catalog. Preparing overlaps;
// publishing and removing go one after the other, so that two of them never decide about one name
// at once. The folder of a model is removed when no entry names it and no load reads from it.
// Thread-safety: loop only; what blocks runs on the worker.
#ifndef TRIMS_INGEST_REGISTRAR_H_
#define TRIMS_INGEST_REGISTRAR_H_

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/model_reference.h"
#include "ingest/preparer.h"
#include "loop/worker.h"
#include "wire/principal.h"

namespace trims {

struct IngestOptions {
  // Absolute folder of the prepared models, which the registrar makes and removes folders in; it
  // clears what no catalog entry names when it starts. Empty: Add answers FAILED_PRECONDITION.
  std::string prepared_root;
};

// All outlive the registrar.
struct IngestDependencies {
  Catalog* catalog = nullptr;
  Preparer* preparer = nullptr;
  Worker* worker = nullptr;  // makes, syncs and removes folders. Without one, Add answers
                             // FAILED_PRECONDITION
  // The catalog has other content now.
  std::function<void()> catalog_changed;
  // Whether a load that reads from this prepared folder may be in flight.
  std::function<bool(const std::string& folder)> is_read_from;
};

// Since the daemon started.
struct IngestCounters {
  uint64_t adds = 0;
  uint64_t add_failures = 0;
  uint64_t removes = 0;
};

struct RemovedModel {
  std::string reference;
  std::string digest;
};

using AddCallback = std::function<void(Result<CatalogEntry>)>;
using RemoveCallback = std::function<void(Result<std::vector<RemovedModel>>)>;

// PERMISSION_DENIED unless it is the daemon's user or root.
Status CheckOperator(const wire::Principal& principal);

class Registrar {
 public:
  Registrar(const IngestOptions& options, const IngestDependencies& dependencies);
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;

  // Contracts of Manager::Add and Manager::Remove.
  void Add(const wire::Principal& principal, const std::string& reference,
           const std::string& source, const std::vector<Variant>& variants,
           Preparer::Progress progress, AddCallback done);
  void Remove(const wire::Principal& principal, const std::string& reference, RemoveCallback done);

  // To be called when a load has ended: what it read from may be removed then.
  void LoadEnded() { SweepFolders(); }

  const IngestCounters& counters() const { return counters_; }
  size_t in_flight() const { return adds_ + queue_.size() + (busy_ ? 1 : 0); }

 private:
  struct AddJob;
  struct RemoveJob;
  using Job = std::shared_ptr<AddJob>;

  Status CheckAdd(const wire::Principal& principal) const;
  void Prepare(const Job& job);
  void Prepared(const Job& job, Result<Manifest> manifest);
  void Publish(const Job& job);
  Result<const CatalogEntry*> Decide(AddJob* job) const;
  void Enter(const Job& job);
  void Finish(const Job& job, const Status& status);
  void Abandon(const Job& job, const Status& why);

  Status FindTargets(const ModelReference& reference, bool all, RemoveJob* job) const;
  void EraseNext(const std::shared_ptr<RemoveJob>& job);

  // Publishing and removing, one at a time.
  void InTurn(std::function<void()> call);
  void EndTurn();

  void AfterChange(const std::string& unused_folder);  // of the catalog
  void SweepFolders();

  // `work` on the worker, then `done` on the loop unless this is gone by then.
  void OnWorker(std::function<void()> work, std::function<void()> done);
  template <typename Call>
  auto IfAlive(Call call) {
    return [alive = std::weak_ptr<bool>(alive_), call = std::move(call)](auto&&... values) mutable {
      if (!alive.expired()) call(std::forward<decltype(values)>(values)...);
    };
  }

  const IngestOptions options_;
  const IngestDependencies dependencies_;
  IngestCounters counters_;
  size_t adds_ = 0;
  bool busy_ = false;
  std::deque<std::function<void()>> queue_;
  std::set<std::string> unused_folders_;  // to be removed once no load reads from them
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace trims

#endif  // TRIMS_INGEST_REGISTRAR_H_
