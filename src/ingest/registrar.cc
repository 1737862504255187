#include "ingest/registrar.h"

#include <map>
#include <set>

namespace trims {
namespace {

std::set<std::string> FoldersNamedBy(const Catalog& catalog) {
  std::set<std::string> folders;
  for (const CatalogEntry* entry : catalog.All()) {
    for (const ImagePtr& image : entry->images) {
      for (const ImagePtr& part : PartsOf(image)) folders.insert(part->variant.folder);
    }
  }
  return folders;
}

// Of the folders whose images all lie elsewhere, too, the index.
std::map<std::string, PreparedStore::Index> FoldersElsewhere(const Catalog& catalog) {
  std::map<std::string, PreparedStore::Index> elsewhere;
  std::set<std::string> only_here;
  for (const CatalogEntry* entry : catalog.All()) {
    for (const ImagePtr& image : entry->images) {
      for (const ImagePtr& part : PartsOf(image)) {
        const ManifestVariant& variant = part->variant;
        if (variant.remote) {
          elsewhere[variant.folder] = {variant.index_path, variant.index_length};
        } else {
          only_here.insert(variant.folder);
        }
      }
    }
  }
  for (const std::string& folder : only_here) elsewhere.erase(folder);
  return elsewhere;
}

// The same, with the store told of each change before anybody else.
IngestDependencies Retaining(IngestDependencies dependencies) {
  dependencies.catalog_changed = [catalog = dependencies.catalog, prepared = dependencies.prepared,
                                  changed = std::move(dependencies.catalog_changed)] {
    if (prepared != nullptr) {
      prepared->SetElsewhere(FoldersElsewhere(*catalog));
      prepared->Retain(FoldersNamedBy(*catalog));
    }
    changed();
  };
  return dependencies;
}

}  // namespace

Registrar::Registrar(const IngestOptions& options, const IngestDependencies& dependencies)
    : adder_(options, Retaining(dependencies), &turns_, &counters_),
      remover_(Retaining(dependencies), &turns_, &counters_),
      retirer_(Retaining(dependencies), &turns_, &counters_),
      aliaser_(dependencies, &turns_),
      verifier_(dependencies, &adder_),
      pusher_(dependencies) {
  if (dependencies.prepared != nullptr) {
    dependencies.prepared->SetElsewhere(FoldersElsewhere(*dependencies.catalog));
    dependencies.prepared->Start(FoldersNamedBy(*dependencies.catalog));
  }
}

}  // namespace trims
