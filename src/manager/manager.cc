#include "manager/manager.h"

#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/catalog.h"
#include "catalog/resolve.h"
#include "events/event_feed.h"
#include "ingest/check_operator.h"
#include "load/tier.h"
#include "manager/choose_tier.h"
#include "manager/controller.h"
#include "manager/explain.h"
#include "manager/take_snapshot.h"
#include "residency/segment_table.h"

namespace trims {

class Manager::Impl {
 public:
  Impl(const ManagerOptions& options, const ManagerDependencies& dependencies)
      : dependencies(dependencies),
        events(dependencies.timers, static_cast<uint64_t>(UnixMicrosecondsNow())),
        registrar(options.ingest, {.catalog = dependencies.catalog,
                                   .preparer = dependencies.preparer,
                                   .prepared = dependencies.prepared,
                                   .worker = dependencies.worker,
                                   .fetcher = dependencies.fetcher,
                                   .verifying = dependencies.verifying,
                                   .timers = dependencies.timers,
                                   .pushing = dependencies.pushing,
                                   .events = &events,
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
                                                               .beneath = host,
                                                               .events = &events},
                                         &counters));
      if (host == nullptr) host = tiers.back().get();
    }
    controller =
        std::make_unique<Controller>(dependencies.catalog, dependencies.timers, &tiers, &events);
    controller->Start();
    if (dependencies.prepared == nullptr) return;
    dependencies.prepared->SetInUse([this] { return LeasedFolders(); });
  }

  // The controller may hold leases, and a tier some of the one beneath.
  ~Impl() {
    if (dependencies.prepared != nullptr) dependencies.prepared->SetInUse(nullptr);
    controller.reset();
    while (!tiers.empty()) tiers.pop_back();
  }

  Result<OpenOutcome> Open(const OpenParams& params, OpenCallback done) const {
    if (controller->draining()) return Controller::Draining();
    TRIMS_ASSIGN_OR_RETURN(const ImagePtr image,
                           ResolveVariant(*dependencies.catalog, params.reference, params.variant,
                                          params.variant_key));
    TRIMS_ASSIGN_OR_RETURN(SegmentTable* const tier, ChooseTier(params.tier, *image, tiers));
    return tier->Open(image, params.deadline, std::move(done));
  }

  // The model is there, whatever comes of the others.
  void RetireBehind(ModelDetails details, size_t keep, const ModelCallback& done) {
    const std::string name = details.model.name;
    registrar.Retire(
        name, keep, [this](const CatalogEntry& entry) { return InUse(entry); },
        [details = std::move(details), done](Result<std::vector<RemovedModel>> retired) mutable {
          if (!retired.ok()) {
            LogWarning("model.retire_failed",
                       {{"model", details.model.name}, {"error", retired.status()}});
            return done(std::move(details));
          }
          for (RemovedModel& gone : *retired) details.retired.push_back(std::move(gone.reference));
          done(std::move(details));
        });
  }

  bool InUse(const CatalogEntry& entry) const {
    for (const auto& tier : tiers) {
      for (const ImagePtr& image : entry.images) {
        const Segment* segment = tier->FindByKey(image->key);
        if (segment == nullptr) continue;
        if (segment->leases() > 0 || tier->WaitersOf(*segment) > 0) return true;
      }
    }
    return false;
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
    controller->ApplyPins();
    for (const auto& tier : tiers) tier->KeepOnly(keys);
    controller->LoadPinned();
  }

  const ManagerDependencies dependencies;
  EventFeed events;
  Counters counters;
  Tiers tiers;
  std::unique_ptr<Controller> controller;
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
                  const std::string& source, const AddWishes& wishes, Preparer::Progress progress,
                  ModelCallback done) {
  impl_->registrar.Add(principal, reference, source, wishes.prepare, std::move(progress),
                       [this, keep = wishes.keep_versions,
                        done = std::move(done)](const Result<const CatalogEntry*>& added) {
                         if (!added.ok()) return done(added.status());
                         ModelDetails details =
                             DetailsOf(**added, *impl_->dependencies.catalog, impl_->tiers);
                         if (keep == 0) return done(std::move(details));
                         impl_->RetireBehind(std::move(details), keep, done);
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
    impl_->events.Record({.kind = EventKind::kPolicyChanged,
                          .tier = table->tier_name(),
                          .policy = policy.eviction->name});
  }
  return SnapshotOf(*table);
}

void Manager::Pin(const wire::Principal& principal, const ControlWishes& wishes,
                  Preparer::Progress progress, ControlCallback done) {
  impl_->controller->Pin(principal, wishes, std::move(progress), std::move(done));
}

void Manager::Unpin(const wire::Principal& principal, const ControlWishes& wishes,
                    ControlCallback done) {
  impl_->controller->Unpin(principal, wishes, std::move(done));
}

void Manager::Prefetch(const wire::Principal& principal, const ControlWishes& wishes,
                       Preparer::Progress progress, ControlCallback done) {
  impl_->controller->Prefetch(principal, wishes, std::move(progress), std::move(done));
}

Result<ControlledModel> Manager::Evict(const wire::Principal& principal,
                                       const ControlWishes& wishes) {
  return impl_->controller->Evict(principal, wishes);
}

Result<ExplainedOpen> Manager::Explain(const ControlWishes& wishes) const {
  const Catalog& catalog = *impl_->dependencies.catalog;
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(wishes.reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, catalog.Find(parsed));
  if (entry->images.empty() && wishes.variants.empty()) {
    return Status(StatusCode::kNotFound, "model '" + ReferenceOf(*entry) + "' has no variants",
                  "trims ls shows what there is");
  }
  const Variant kind =
      wishes.variants.empty() ? UsualVariant(entry->images)->kind : wishes.variants.front();
  TRIMS_ASSIGN_OR_RETURN(const ImagePtr image,
                         ResolveVariant(catalog, ReferenceOf(*entry), kind, ""));
  TRIMS_ASSIGN_OR_RETURN(const SegmentTable* tier, ChooseTier(wishes.tier, *image, impl_->tiers));
  ExplainedOpen open = trims::Explain(image, *tier, impl_->counters);
  if (impl_->controller->draining()) {
    open.refused = Controller::Draining();
    open.served_from.clear();
  }
  if (wishes.holders) open.holders = wishes.holders(tier->tier_name(), image->key);
  return open;
}

Result<DrainSnapshot> Manager::Drain(const wire::Principal& principal, bool on,
                                     const FindHolders& holders) {
  return impl_->controller->Drain(principal, on, holders);
}

void Manager::AwaitQuiet(DrainCallback done) { impl_->controller->AwaitQuiet(std::move(done)); }

void Manager::Preload(const std::string& reference) { impl_->controller->Preload(reference); }

void Manager::SetAlias(const wire::Principal& principal, const std::string& alias,
                       const std::string& reference, AliasCallback done) {
  impl_->registrar.aliaser().Set(principal, alias, reference, std::move(done));
}

void Manager::DeleteAlias(const wire::Principal& principal, const std::string& alias,
                          AliasCallback done) {
  impl_->registrar.aliaser().Delete(principal, alias, std::move(done));
}

void Manager::Rollback(const wire::Principal& principal, const std::string& alias,
                       AliasCallback done) {
  impl_->registrar.aliaser().Rollback(principal, alias, std::move(done));
}

std::vector<Alias> Manager::Aliases() const {
  std::vector<Alias> aliases;
  for (const Alias* alias : impl_->dependencies.catalog->Aliases().All()) aliases.push_back(*alias);
  return aliases;
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
  snapshot.models = impl_->dependencies.catalog->size();
  if (impl_->dependencies.prepared != nullptr) {
    const PreparedStore& prepared = *impl_->dependencies.prepared;
    snapshot.prepared_bytes = prepared.bytes();
    if (prepared.budget() != PreparedStore::kNoBudget) snapshot.disk_budget = prepared.budget();
    snapshot.disk_evictions = prepared.evictions();
  }
  snapshot.preparations_in_flight = impl_->registrar.adds_in_flight();
  snapshot.draining = impl_->controller->draining();
  snapshot.counters = impl_->counters;
  snapshot.ingest = impl_->registrar.counters();
  return snapshot;
}

EventFeed& Manager::events() const { return impl_->events; }

bool Manager::Idle() const {
  for (const auto& tier : impl_->tiers) {
    if (tier->leases() > 0 || tier->loads_in_flight() > 0 || tier->waiters() > 0) return false;
  }
  return impl_->registrar.in_flight() == 0;
}

}  // namespace trims
