#include "manager/manager.h"

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "base/byte_size.h"
#include "base/log.h"
#include "base/macros.h"
#include "catalog/catalog.h"
#include "catalog/resolve.h"
#include "events/event_feed.h"
#include "ingest/check_operator.h"
#include "load/tier.h"
#include "manager/change_policy.h"
#include "manager/choose_tier.h"
#include "manager/controller.h"
#include "manager/disk_prefetcher.h"
#include "manager/explain.h"
#include "manager/keep_alives.h"
#include "manager/take_snapshot.h"
#include "manager/taken_over.h"
#include "residency/segment_table.h"

namespace trims {

class Manager::Impl {
 public:
  Impl(const ManagerOptions& options, const ManagerDependencies& dependencies)
      : dependencies(dependencies),
        events(dependencies.timers, static_cast<uint64_t>(UnixMicrosecondsNow())),
        tiers(MakeTiers(options.residency)),
        registrar(options.ingest, {.catalog = dependencies.catalog,
                                   .preparer = dependencies.preparer,
                                   .prepared = dependencies.prepared,
                                   .worker = dependencies.worker,
                                   .fetcher = dependencies.fetcher,
                                   .landing = tiers.empty() ? nullptr : tiers.front().get(),
                                   .verifying = dependencies.verifying,
                                   .timers = dependencies.timers,
                                   .pushing = dependencies.pushing,
                                   .events = &events,
                                   .post = dependencies.post,
                                   .catalog_changed = [this] { KeepKnown(); }}) {
    pinned = std::make_unique<PinnedModels>(dependencies.catalog, dependencies.timers, &tiers);
    controller = std::make_unique<Controller>(dependencies.catalog, dependencies.timers, &tiers,
                                              pinned.get(), &events);
    drainer = std::make_unique<Drainer>(&tiers, &events);
    keep_alives = std::make_unique<KeepAlives>(dependencies.catalog, &tiers, &events);
    keep_alives->Apply();
    disk = std::make_unique<DiskPrefetcher>(dependencies.catalog, dependencies.prepared,
                                            dependencies.timers, &tiers);
    FindSharing();
    TakeOver();
    if (dependencies.prepared == nullptr) return;
    dependencies.prepared->SetInUse([this] { return LeasedFolders(); });
  }

  // The host's memory first, from which the others fill.
  Tiers MakeTiers(const ResidencyOptions& options) {
    Tiers made;
    for (Tier* tier : dependencies.tiers) {
      SegmentTable* const host = made.empty() ? nullptr : made.front().get();
      made.push_back(
          std::make_unique<SegmentTable>(options,
                                         ResidencyDependencies{.clock = dependencies.clock,
                                                               .timers = dependencies.timers,
                                                               .tier = tier,
                                                               .prepared = dependencies.prepared,
                                                               .beneath = host,
                                                               .events = &events},
                                         &counters));
    }
    for (size_t i = 1; i < made.size(); ++i) {
      std::vector<SegmentTable*> peers;
      for (size_t j = 1; j < made.size(); ++j) {
        if (j != i) peers.push_back(made[j].get());
      }
      made[i]->SetPeers(std::move(peers));
    }
    return made;
  }

  // The controller may hold leases, and a tier some of the one beneath or of another.
  ~Impl() {
    if (dependencies.prepared != nullptr) dependencies.prepared->SetInUse(nullptr);
    drainer.reset();
    controller.reset();
    pinned.reset();
    disk.reset();
    keep_alives.reset();
    taken_over.reset();
    for (const auto& tier : tiers) tier->LetGoOfPeers();
    while (!tiers.empty()) tiers.pop_back();
  }

  // What is pinned and is not among it is loaded then.
  void TakeOver() {
    if (dependencies.keeper == nullptr) return Started();
    pinned->Apply();
    std::vector<ImagePtr> images;
    for (const CatalogEntry* entry : dependencies.catalog->All())
      for (const ImagePtr& image : entry->images) {
        const std::span<const ImagePtr> parts = PartsOf(image);
        images.insert(images.end(), parts.begin(), parts.end());
      }
    taken_over = std::make_unique<TakenOver>(TakenOverDependencies{.keeper = dependencies.keeper,
                                                                   .host = tiers.front().get(),
                                                                   .timers = dependencies.timers,
                                                                   .watcher = dependencies.watcher,
                                                                   .worker = dependencies.worker});
    taken_over->Begin(images, [this] { Started(); });
  }

  void Started() {
    started = true;
    pinned->Start();
    if (when_started) when_started();
  }

  Result<OpenOutcome> Open(const OpenParams& params, OpenCallback done) const {
    if (drainer->draining()) return Drainer::Refused();
    TRIMS_ASSIGN_OR_RETURN(const ImagePtr image,
                           ResolveVariant(*dependencies.catalog, params.reference, params.variant,
                                          params.variant_key));
    TRIMS_ASSIGN_OR_RETURN(SegmentTable* const tier, ChooseTier(params.tier, image, tiers));
    if (!image->parts.empty() && !params.runs) return NeedsRuns(*image);
    // Who knows no runs gets what is whole on the host as one copy on a device, too.
    const ImagePtr& form = params.runs ? tier->FormOf(image) : image;
    return tier->Open(form, params.deadline, std::move(done));
  }

  // A libtrims of before would take the parts for the whole.
  static Status NeedsRuns(const Image& image) {
    return Status(StatusCode::kUnimplemented,
                  "model '" + image.reference +
                      "' shares its bytes with others, which this libtrims can't map",
                  "a libtrims as new as trimsd, or add the model with granularity 'model'");
  }

  // The model is there, whatever comes of the others.
  void RetireBehind(ModelDetails details, const Retention& keep, const ModelCallback& done) {
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

  // With those whom the sessions can't know.
  FindHolders AllHolders(const FindHolders& of_sessions) const {
    if (!of_sessions || taken_over == nullptr) return of_sessions;
    return [this, of_sessions](std::string_view tier, std::string_view key) {
      std::vector<LeaseHolder> holders = of_sessions(tier, key);
      taken_over->AddHolders(tier, key, &holders);
      return holders;
    };
  }

  bool InUse(const CatalogEntry& entry) const {
    for (const auto& tier : tiers) {
      for (const ImagePtr& image : entry.images) {
        const ImagePtr& form = tier->FormMade(image);
        const Segment* segment = tier->FindByKey(PartsOf(form).front()->key);
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
      for (const ImagePtr& image : entry->images) {
        for (const ImagePtr& part : PartsOf(image)) keys.insert(part->key);
      }
    }
    pinned->Apply();
    keep_alives->Apply();
    for (const auto& tier : tiers) tier->KeepOnly(keys);
    if (FindSharing()) {
      pinned->Apply();
      keep_alives->Apply();
    }
    pinned->Load();
  }

  // Once a change of the catalog, so that whoever looks at the status doesn't look at all models. Whether models may lie otherwise on
  // devices since then.
  bool FindSharing() {
    std::vector<ImagePtr> found;
    for (const CatalogEntry* entry : dependencies.catalog->All()) {
      for (const ImagePtr& image : entry->images) {
        if (image->variant.granularity != Granularity::kModel) found.push_back(image);
      }
    }
    const bool changed = found != sharing;
    sharing = std::move(found);
    if (!changed) return false;
    for (size_t i = 1; i < tiers.size(); ++i) tiers[i]->SetSharing(sharing);
    return tiers.size() > 1;
  }

  const ManagerDependencies dependencies;
  EventFeed events;
  Counters counters;
  PressureSnapshot pressure;
  std::vector<ImagePtr> sharing;  // all that were added to share
  Tiers tiers;
  std::unique_ptr<PinnedModels> pinned;
  std::unique_ptr<Controller> controller;
  std::unique_ptr<Drainer> drainer;
  std::unique_ptr<KeepAlives> keep_alives;
  std::unique_ptr<DiskPrefetcher> disk;
  std::unique_ptr<TakenOver> taken_over;  // where there is a keeper
  bool started = false;
  std::function<void()> when_started;
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

void Manager::AwaitStarted(std::function<void()> done) {
  if (impl_->started) return done();
  impl_->when_started = std::move(done);
}

void Manager::Add(const wire::Principal& principal, const std::string& reference,
                  const std::string& source, const AddWishes& wishes, Preparer::Progress progress,
                  ModelCallback done) {
  impl_->registrar.Add(
      principal, reference, source, wishes.prepare, std::move(progress),
      [this, keep = wishes.keep, done = std::move(done)](const Result<const CatalogEntry*>& added) {
        if (!added.ok()) return done(added.status());
        ModelDetails details = DetailsOf(**added, *impl_->dependencies.catalog, impl_->tiers);
        if (keep.all()) return done(std::move(details));
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
  return trims::ChangePolicy(principal, wishes, impl_->tiers, &impl_->events);
}

Result<DiskSnapshot> Manager::ChangeDiskBudget(const wire::Principal& principal,
                                               std::string_view text) {
  PreparedStore* const prepared = impl_->dependencies.prepared;
  if (prepared == nullptr)
    return Status(StatusCode::kFailedPrecondition, "there is no prepared store");
  uint64_t budget = text.empty() ? prepared->budget() : PreparedStore::kNoBudget;
  if (!text.empty() && text != "none") {
    TRIMS_ASSIGN_OR_RETURN(budget, ParseBudget(text, impl_->dependencies.disk_capacity));
  }
  if (!text.empty()) TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  if (budget != prepared->budget()) {
    LogInfo("budget.changed", {{"tier", "disk"}, {"bytes", text}, {"used", prepared->bytes()}});
    impl_->events.Record({.kind = EventKind::kBudgetChanged,
                          .tier = "disk",
                          .bytes = budget == PreparedStore::kNoBudget ? 0 : budget});
    prepared->SetBudget(budget);
  }
  return DiskSnapshot{.used_bytes = prepared->bytes(),
                      .budget_bytes = budget == PreparedStore::kNoBudget ? 0 : budget};
}

const Budget& Manager::HostBudget() const { return impl_->tiers.front()->budget(); }

void Manager::RelievePressure(uint64_t floor) {
  SegmentTable& host = *impl_->tiers.front();
  const uint64_t bytes = host.Relieve(floor);
  ++impl_->pressure.events;
  impl_->pressure.bytes_given_up += bytes;
  LogInfo("pressure.relieved", {{"bytes", bytes}, {"used", host.budget().used()}});
  impl_->events.Record(
      {.kind = EventKind::kPressureRelieved, .tier = host.tier_name(), .bytes = bytes});
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
  if (wishes.tier == kDiskTier) {
    return impl_->disk->Prefetch(principal, wishes, std::move(progress), std::move(done));
  }
  impl_->controller->Prefetch(principal, wishes, std::move(progress), std::move(done));
}

Result<ControlledModel> Manager::Evict(const wire::Principal& principal,
                                       const ControlWishes& wishes) {
  ControlWishes with_all = wishes;
  with_all.holders = impl_->AllHolders(wishes.holders);
  return impl_->controller->Evict(principal, with_all);
}

void Manager::Demote(const wire::Principal& principal, const ControlWishes& wishes,
                     Preparer::Progress progress, ControlCallback done) {
  ControlWishes with_all = wishes;
  with_all.holders = impl_->AllHolders(wishes.holders);
  impl_->controller->Demote(principal, with_all, std::move(progress), std::move(done));
}

void Manager::SetKeepAlive(const wire::Principal& principal, const std::string& reference,
                           std::string_view text, KeptAliveCallback done) {
  impl_->keep_alives->Set(principal, reference, text, std::move(done));
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
  TRIMS_ASSIGN_OR_RETURN(const SegmentTable* tier, ChooseTier(wishes.tier, image, impl_->tiers));
  ExplainedOpen open =
      trims::Explain(image, *tier, impl_->counters, IsOnDisk(*image, impl_->dependencies.prepared));
  if (impl_->drainer->draining()) {
    open.refused = Drainer::Refused();
    open.served_from.clear();
  }
  if (const FindHolders all = impl_->AllHolders(wishes.holders)) {
    open.holders = all(tier->tier_name(), image->key);
  }
  return open;
}

Result<DrainSnapshot> Manager::Drain(const wire::Principal& principal, bool on,
                                     const FindHolders& holders) {
  return impl_->drainer->Drain(principal, on, impl_->AllHolders(holders));
}

void Manager::AwaitQuiet(DrainCallback done) { impl_->drainer->AwaitQuiet(std::move(done)); }

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
  ModelDetails details = DetailsOf(*entry, *impl_->dependencies.catalog, impl_->tiers);
  details.keep_alive = impl_->keep_alives->Of(entry->name);
  return details;
}

ManagerSnapshot Manager::Snapshot(const FindHolders& holders) const {
  ManagerSnapshot snapshot = SnapshotOf(impl_->tiers, impl_->dependencies.clock->Now(), holders);
  AddSaved(impl_->sharing, impl_->tiers, &snapshot);
  snapshot.models = impl_->dependencies.catalog->size();
  if (impl_->dependencies.prepared != nullptr) {
    const PreparedStore& prepared = *impl_->dependencies.prepared;
    snapshot.prepared_bytes = prepared.bytes();
    if (prepared.budget() != PreparedStore::kNoBudget) snapshot.disk_budget = prepared.budget();
    snapshot.disk_evictions = prepared.evictions();
    snapshot.disk_unfinished = prepared.unfinished();
  }
  snapshot.preparations_in_flight = impl_->registrar.adds_in_flight();
  snapshot.draining = impl_->drainer->draining();
  if (impl_->taken_over != nullptr) impl_->taken_over->AddTo(&snapshot);
  snapshot.counters = impl_->counters;
  snapshot.pressure = impl_->pressure;
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
