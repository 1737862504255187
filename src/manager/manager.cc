#include "manager/manager.h"

#include <utility>

#include "base/macros.h"
#include "manager/catalog.h"
#include "manager/counters.h"
#include "manager/documents.h"
#include "manager/registrar.h"
#include "manager/resolve.h"
#include "manager/segment_table.h"

namespace trims {

class Manager::Impl {
 public:
  Impl(const ManagerOptions& options, const ManagerDependencies& dependencies)
      : options(options),
        dependencies(dependencies),
        segments(options, dependencies, &counters),
        registrar(options, dependencies, &segments, &counters) {}

  const ManagerOptions options;
  const ManagerDependencies dependencies;
  Counters counters;
  SegmentTable segments;
  Registrar registrar;
};

Manager::Manager(const ManagerOptions& options, const ManagerDependencies& dependencies)
    : impl_(std::make_unique<Impl>(options, dependencies)) {}
Manager::~Manager() = default;

Manager::WaiterId Manager::Open(const OpenParams& params, OpenCallback done) {
  ++impl_->counters.opens;
  const Result<ResolvedModel> model = ResolveVariant(*impl_->dependencies.catalog, params.reference,
                                                     params.variant, params.variant_key);
  if (model.ok()) return impl_->segments.Open(*model, params, std::move(done));
  ++impl_->counters.refused;
  done(model.status());
  return 0;
}

void Manager::CancelOpen(WaiterId waiter) { impl_->segments.CancelOpen(waiter); }

void Manager::Add(const wire::Principal& principal, const std::string& reference,
                  const std::string& source, const std::vector<Variant>& variants,
                  ProgressCallback progress, DocumentCallback done) {
  impl_->registrar.Add(principal, reference, source, variants, std::move(progress),
                       std::move(done));
}

void Manager::Remove(const wire::Principal& principal, const std::string& reference,
                     DocumentCallback done) {
  impl_->registrar.Remove(principal, reference, std::move(done));
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
                   .preparations = impl_->registrar.in_flight()});
}

bool Manager::Idle() const {
  return impl_->segments.leases() == 0 && impl_->segments.loads_in_flight() == 0 &&
         impl_->segments.waiters() == 0 && impl_->registrar.in_flight() == 0;
}

}  // namespace trims
