// Resolve: from what a client wrote to the image that it means.
//
// Thread-safety: loop only, since it looks into the catalog.
#ifndef TRIMS_CATALOG_RESOLVE_H_
#define TRIMS_CATALOG_RESOLVE_H_

#include <string>
#include <string_view>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "catalog/catalog.h"

namespace trims {

// NOT_FOUND: no such model, version or digest, or the variant was never prepared (the message lists
// those that were). FAILED_PRECONDITION: it was prepared, but is bound to another key (the message
// gives both). An empty `key` is any.
Result<ImagePtr> ResolveVariant(const Catalog& catalog, std::string_view requested, Variant kind,
                                std::string_view key);

// Those of `kinds`, each once; all where none is named. Errors as ResolveVariant's.
Result<std::vector<ImagePtr>> ImagesOf(const Catalog& catalog, const CatalogEntry& entry,
                                       const std::vector<Variant>& kinds);

// "namespace/name:version"
std::string ReferenceOf(const CatalogEntry& entry);

}  // namespace trims

#endif  // TRIMS_CATALOG_RESOLVE_H_
