// ChooseVersion: under which version freshly prepared content comes into the catalog, and whether it
// joins a model that is there.
//
// Thread-safety: loop only, since it looks into the catalog.
#ifndef TRIMS_INGEST_CHOOSE_VERSION_H_
#define TRIMS_INGEST_CHOOSE_VERSION_H_

#include <string>

#include "trims/status.h"

#include "catalog/catalog.h"
#include "catalog/model_reference.h"
#include "format/manifest.h"

namespace trims {

struct ChosenVersion {
  std::string version;
  // The entry of equal content that it joins, until the catalog's next change; nullptr: a new one.
  const CatalogEntry* joined = nullptr;
};

// The version that `reference` names, otherwise that of equal content under the same name, otherwise
// the first digits of the digest. ALREADY_EXISTS: that version has other content.
Result<ChosenVersion> ChooseVersion(const Catalog& catalog, const ModelReference& reference,
                                    const Manifest& fresh);

}  // namespace trims

#endif  // TRIMS_INGEST_CHOOSE_VERSION_H_
