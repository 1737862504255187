#include "manager/manager.h"

#include <set>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/catalog.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"
#include "load/tier.h"
#include "manager/choose_tier.h"
#include "manager/take_snapshot.h"
#include "residency/segment_table.h"

namespace trims {

class Manager::Impl {
 public:
  Impl(const ManagerOptions& options, const ManagerDependencies& dependencies)
      : dependencies(dependencies),
        registrar(options.ingest, {.catalog = dependencies.catalog,
                                   .preparer = dependencies.preparer,
                                   .prepared = dependencies.prepared,
                                   .worker = dependencies.worker,
                                   .fetcher = dependencies.fetcher,
                                   .verifying = dependencies.verifying,
                                   .timers = dependencies.timers,
                                   .pushing = dependencies.pushing,
                                   .post = dependencies.post,
                                   .catalog_changed = [this] { KeepKnown(); }}) {
    SegmentTable* host = nullptr;
    for (Tier* tier : dependencies.tiers) {
      tiers.push_back(
          std::make_unique<SegmentTable>(options.residency,
                                         ResidencyDependencies{.clock = dependencies.clock,
                                                               .timers = dependencies.timers,
                                                               .tier = tier,
                                                               .prepared = dependencies.prepared,
                                                               .beneath = host},
                                         &counters));
      if (host == nullptr) host = tiers.back().get();
    }
    if (dependencies.prepared == nullptr) return;
    dependencies.prepared->SetInUse([this] { return LeasedFolders(); });
  }

  // A tier may hold leases of the one beneath.
  ~Impl() {
    if (dependencies.prepared != nullptr) dependencies.prepared->SetInUse(nullptr);
    while (!tiers.empty()) tiers.pop_back();
  }

  Result<OpenOutcome> Open(const OpenParams& params, OpenCallback done) const {
    TRIMS_ASSIGN_OR_RETURN(const ImagePtr image,
                           ResolveVariant(*dependencies.catalog, params.reference, params.variant,
                                          params.variant_key));
    TRIMS_ASSIGN_OR_RETURN(SegmentTable* const tier, ChooseTier(params.tier, *image, tiers));
    return tier->Open(image, params.deadline, std::move(done));
  }

  std::set<std::string> LeasedFolders() const {
    std::set<std::string> folders;
    for (const auto& tier : tiers) {
      for (const Segment* segment : tier->All()) {
        if (segment->leases() > 0) folders.insert(segment->image().variant.folder);
      }
    }
    return folders;
  }

  // What the catalog no longer knows goes with its last lease.
  void KeepKnown() {
    std::set<std::string_view> keys;
    for (const CatalogEntry* entry : dependencies.catalog->All()) {
      for (const ImagePtr& image : entry->images) keys.insert(image->key);
    }
    for (const auto& tier : tiers) tier->KeepOnly(keys);
  }

  const ManagerDependencies dependencies;
  Counters counters;
  Tiers tiers;
  Registrar registrar;
};

Manager::Manager(const ManagerOptions& options, const ManagerDependencies& dependencies)
    : impl_(std::make_unique<Impl>(options, dependencies)) {}
Manager::~Manager() = default;

Result<OpenOutcome> Manager::Open(const OpenParams& params, OpenCallback done) {
  ++impl_->counters.opens;
  Result<OpenOutcome> outcome = impl_->Open(params, std::move(done));
  if (!outcome.ok()) ++impl_->counters.refused;
  return outcome;
}

void Manager::Add(const wire::Principal& principal, const std::string& reference,
                  const std::string& source, const PrepareWishes& wishes,
                  Preparer::Progress progress, ModelCallback done) {
  impl_->registrar.Add(principal, reference, source, wishes, std::move(progress),
                       [this, done = std::move(done)](const Result<const CatalogEntry*>& added) {
                         if (!added.ok()) return done(added.status());
                         done(DetailsOf(**added, *impl_->dependencies.catalog, impl_->tiers));
                       });
}

void Manager::Remove(const wire::Principal& principal, const std::string& reference,
                     RemoveCallback done) {
  impl_->registrar.Remove(principal, reference, std::move(done));
}

void Manager::Verify(const wire::Principal& principal, const VerifyWishes& wishes,
                     Preparer::Progress progress, VerifyCallback done) {
  impl_->registrar.Verify(principal, wishes, std::move(progress), std::move(done));
}

void Manager::Push(const wire::Principal& principal, const std::string& reference,
                   const std::string& destination, Preparer::Progress progress, PushCallback done) {
  impl_->registrar.Push(principal, reference, destination, std::move(progress), std::move(done));
}

Result<TierSnapshot> Manager::ChangePolicy(const wire::Principal& principal,
                                           const PolicyWishes& wishes) {
  TRIMS_ASSIGN_OR_RETURN(SegmentTable* const table, FindTier(wishes.tier, impl_->tiers));
  TierPolicy policy = table->policy();
  if (!wishes.eviction.empty()) {
    TRIMS_ASSIGN_OR_RETURN(policy.eviction, FindEvictionPolicy(wishes.eviction));
  }
  if (!wishes.admission.empty()) {
    TRIMS_ASSIGN_OR_RETURN(policy.admission, FindAdmissionPolicy(wishes.admission));
  }
  if (!wishes.reclaim.empty()) {
    TRIMS_ASSIGN_OR_RETURN(policy.reclaim, ParseReclaim(wishes.reclaim));
  }
  const bool asks_only =
      wishes.eviction.empty() && wishes.admission.empty() && wishes.reclaim.empty();
  if (!asks_only) TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  if (policy != table->policy()) {
    table->SetPolicy(policy);
    LogInfo("policy.changed", {{"tier", table->tier_name()},
                               {"reclaim", ReclaimName(policy.reclaim)},
                               {"eviction", policy.eviction->name},
                               {"admission", policy.admission->name}});
  }
  return SnapshotOf(*table);
}

std::vector<ModelSnapshot> Manager::Models() const {
  return SnapshotsOf(*impl_->dependencies.catalog, impl_->tiers);
}

Result<ModelDetails> Manager::Model(const std::string& reference) const {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, impl_->dependencies.catalog->Find(parsed));
  return DetailsOf(*entry, *impl_->dependencies.catalog, impl_->tiers);
}

ManagerSnapshot Manager::Snapshot() const {
  ManagerSnapshot snapshot = SnapshotOf(impl_->tiers, impl_->dependencies.clock->Now());
  snapshot.models = impl_->dependencies.catalog->All().size();
  if (impl_->dependencies.prepared != nullptr) {
    const PreparedStore& prepared = *impl_->dependencies.prepared;
    snapshot.prepared_bytes = prepared.bytes();
    if (prepared.budget() != PreparedStore::kNoBudget) snapshot.disk_budget = prepared.budget();
    snapshot.disk_evictions = prepared.evictions();
  }
  snapshot.preparations_in_flight = impl_->registrar.adds_in_flight();
  snapshot.counters = impl_->counters;
  snapshot.ingest = impl_->registrar.counters();
  return snapshot;
}

bool Manager::Idle() const {
  for (const auto& tier : impl_->tiers) {
    if (tier->leases() > 0 || tier->loads_in_flight() > 0 || tier->waiters() > 0) return false;
  }
  return impl_->registrar.in_flight() == 0;
}

}  // namespace trims
