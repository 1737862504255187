#include "ingest/registrar.h"

#include <set>

namespace trims {
namespace {

std::set<std::string> FoldersNamedBy(const Catalog& catalog) {
  std::set<std::string> folders;
  for (const CatalogEntry* entry : catalog.All()) {
    for (const ImagePtr& image : entry->images) folders.insert(image->variant.folder);
  }
  return folders;
}

// The same, with the store told of each change before anybody else.
IngestDependencies Retaining(IngestDependencies dependencies) {
  dependencies.catalog_changed = [catalog = dependencies.catalog, prepared = dependencies.prepared,
                                  changed = std::move(dependencies.catalog_changed)] {
    if (prepared != nullptr) prepared->Retain(FoldersNamedBy(*catalog));
    changed();
  };
  return dependencies;
}

}  // namespace

Registrar::Registrar(const IngestOptions& options, const IngestDependencies& dependencies)
    : adder_(options, Retaining(dependencies), &turns_, &counters_),
      remover_(Retaining(dependencies), &turns_, &counters_),
      verifier_(dependencies, &adder_) {
  if (dependencies.prepared != nullptr) {
    dependencies.prepared->Start(FoldersNamedBy(*dependencies.catalog));
  }
}

}  // namespace trims
