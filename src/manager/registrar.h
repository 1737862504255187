// Registrar: how models come into the catalog and leave it.
//
// An Add prepares into a fresh folder, then publishes: sync, rename, catalog. Preparing overlaps;
// publishing and removing go one after the other, so that two of them never decide about one name
// at once. The folder of a model is removed when no entry names it and no load reads from it.
// Thread-safety: loop only; what blocks runs on the worker.
#ifndef TRIMS_MANAGER_REGISTRAR_H_
#define TRIMS_MANAGER_REGISTRAR_H_

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "manager/catalog.h"
#include "manager/counters.h"
#include "manager/documents.h"
#include "manager/manager.h"
#include "manager/model_reference.h"
#include "manager/segment_table.h"

namespace trims {

// PERMISSION_DENIED unless it is the daemon's user or root.
Status CheckOperator(const wire::Principal& principal);

class Registrar {
 public:
  Registrar(const ManagerOptions& options, const ManagerDependencies& dependencies,
            SegmentTable* segments, Counters* counters);
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;

  // Contracts of Manager::Add and Manager::Remove.
  void Add(const wire::Principal& principal, const std::string& reference,
           const std::string& source, const std::vector<Variant>& variants,
           ProgressCallback progress, DocumentCallback done);
  void Remove(const wire::Principal& principal, const std::string& reference,
              DocumentCallback done);

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

  const ManagerOptions options_;
  const ManagerDependencies dependencies_;
  SegmentTable* const segments_;
  Counters* const counters_;
  size_t adds_ = 0;
  bool busy_ = false;
  std::deque<std::function<void()>> queue_;
  std::set<std::string> unused_folders_;  // to be removed once no load reads from them
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace trims

#endif  // TRIMS_MANAGER_REGISTRAR_H_
