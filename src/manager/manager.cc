#include "manager/manager.h"

#include <set>
#include <utility>

#include "base/macros.h"
#include "catalog/catalog.h"
#include "catalog/resolve.h"
#include "ingest/registrar.h"
#include "manager/documents.h"
#include "residency/counters.h"
#include "residency/segment_table.h"

namespace trims {

class Manager::Impl {
 public:
  Impl(const ManagerOptions& options, const ManagerDependencies& dependencies)
      : options(options),
        dependencies(dependencies),
        segments(options.residency,
                 {.clock = dependencies.clock,
                  .timers = dependencies.timers,
                  .loader = dependencies.loader,
                  .eviction = dependencies.eviction},
                 &counters),
        registrar(options.ingest,
                  {.catalog = dependencies.catalog,
                   .preparer = dependencies.preparer,
                   .worker = dependencies.worker,
                   .catalog_changed = [this] { KeepKnown(); },
                   .is_read_from =
                       [this](const std::string& folder) { return segments.LoadsFrom(folder); }}) {
    segments.OnLoadEnd([this] { registrar.LoadEnded(); });
  }

  // What the catalog no longer knows goes with its last lease.
  void KeepKnown() {
    std::set<std::string> keys;
    for (const CatalogEntry* entry : dependencies.catalog->All()) {
      for (const ImagePtr& image : entry->images) keys.insert(image->key);
    }
    segments.KeepOnly(keys);
  }

  const ManagerOptions options;
  const ManagerDependencies dependencies;
  Counters counters;
  SegmentTable segments;
  Registrar registrar;
};

Manager::Manager(const ManagerOptions& options, const ManagerDependencies& dependencies)
    : impl_(std::make_unique<Impl>(options, dependencies)) {}
Manager::~Manager() = default;

WaiterId Manager::Open(const OpenParams& params, OpenCallback done) {
  ++impl_->counters.opens;
  const Result<ImagePtr> image = ResolveVariant(*impl_->dependencies.catalog, params.reference,
                                                params.variant, params.variant_key);
  if (image.ok()) return impl_->segments.Open(*image, params, std::move(done));
  ++impl_->counters.refused;
  done(image.status());
  return 0;
}

void Manager::CancelOpen(WaiterId waiter) { impl_->segments.CancelOpen(waiter); }

void Manager::Add(const wire::Principal& principal, const std::string& reference,
                  const std::string& source, const std::vector<Variant>& variants,
                  Preparer::Progress progress, DocumentCallback done) {
  impl_->registrar.Add(principal, reference, source, variants, std::move(progress),
                       [this, done = std::move(done)](const Result<CatalogEntry>& added) {
                         if (!added.ok()) return done(added.status());
                         done(ShowOf(*added, *impl_->dependencies.catalog, impl_->segments));
                       });
}

void Manager::Remove(const wire::Principal& principal, const std::string& reference,
                     DocumentCallback done) {
  impl_->registrar.Remove(
      principal, reference,
      [done = std::move(done)](const Result<std::vector<RemovedModel>>& removed) {
        removed.ok() ? done(RemovedOf(*removed)) : done(removed.status());
      });
}

std::string Manager::ListDocument() const {
  return ListOf(*impl_->dependencies.catalog, impl_->segments);
}

Result<std::string> Manager::ShowDocument(const std::string& reference) const {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, impl_->dependencies.catalog->Find(parsed));
  return ShowOf(*entry, *impl_->dependencies.catalog, impl_->segments);
}

std::string Manager::StatusDocument() const {
  return StatusOf({.options = impl_->options,
                   .dependencies = impl_->dependencies,
                   .segments = impl_->segments,
                   .counters = impl_->counters,
                   .ingest = impl_->registrar.counters(),
                   .preparations = impl_->registrar.in_flight()});
}

bool Manager::Idle() const {
  return impl_->segments.leases() == 0 && impl_->segments.loads_in_flight() == 0 &&
         impl_->segments.waiters() == 0 && impl_->registrar.in_flight() == 0;
}

}  // namespace trims
