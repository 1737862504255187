#include "ingest/choose_version.h"

#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/aliaser.h"

namespace trims {
namespace {

constexpr size_t kVersionDigits = 12;

Status Taken(const CatalogEntry& entry, const Manifest& fresh) {
  return Status(StatusCode::kAlreadyExists,
                "model '" + ReferenceOf(entry) + "' has other content: its digest is " +
                    entry.manifest.digest + ", that of the source is " + fresh.digest,
                "give another version (" + entry.name + ":" +
                    fresh.digest.substr(0, kVersionDigits) + "), or first: trims rm " +
                    ReferenceOf(entry));
}

}  // namespace

Result<ChosenVersion> ChooseVersion(const Catalog& catalog, const ModelReference& reference,
                                    const Manifest& fresh) {
  const bool named = !reference.version.empty();
  ChosenVersion chosen{named ? reference.version : fresh.digest.substr(0, kVersionDigits), nullptr};
  TRIMS_RETURN_IF_ERROR(CheckIsNoAlias(catalog, reference.name, chosen.version));
  for (const CatalogEntry* entry : catalog.All()) {
    if (entry->name != reference.name) continue;
    if (!named && entry->manifest.digest == fresh.digest)
      return ChosenVersion{entry->version, entry};
    if (entry->version == chosen.version) chosen.joined = entry;
  }
  if (chosen.joined != nullptr && chosen.joined->manifest.digest != fresh.digest) {
    return Taken(*chosen.joined, fresh);
  }
  return chosen;
}

}  // namespace trims
