#include "catalog/resolve.h"

#include "base/macros.h"
#include "catalog/model_reference.h"

namespace trims {
namespace {

std::string Prepared(const Manifest& manifest) {
  std::string text;
  for (const ManifestVariant& variant : manifest.variants) {
    text += (text.empty() ? "" : ", ") + std::string(VariantName(variant.kind));
    if (!variant.key.empty()) text += " (" + variant.key + ")";
  }
  return text.empty() ? "none" : text;
}

std::string AddCommand(const CatalogEntry& entry, Variant kind) {
  return "trims add " + ReferenceOf(entry) + " " + entry.manifest.source + " --variant " +
         std::string(VariantName(kind));
}

Status NeverPrepared(const CatalogEntry& entry, Variant kind) {
  return Status(StatusCode::kNotFound,
                "model '" + ReferenceOf(entry) + "' has no variant '" +
                    std::string(VariantName(kind)) + "'; prepared: " + Prepared(entry.manifest),
                AddCommand(entry, kind));
}

Status OtherKey(const CatalogEntry& entry, const ManifestVariant& variant, std::string_view key) {
  return Status(StatusCode::kFailedPrecondition,
                "variant '" + std::string(VariantName(variant.kind)) + "' of model '" +
                    ReferenceOf(entry) + "' was made for '" + variant.key + "', not for '" +
                    std::string(key) + "'",
                AddCommand(entry, variant.kind));
}

}  // namespace

Result<ResolvedModel> ResolveVariant(const Catalog& catalog, const std::string& reference,
                                     Variant kind, std::string_view key) {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, catalog.Find(parsed));
  const ManifestVariant* other = nullptr;
  for (const ManifestVariant& variant : entry->manifest.variants) {
    if (variant.kind != kind) continue;
    if (key.empty() || variant.key == key) return ResolvedModel{entry, &variant};
    other = &variant;
  }
  if (other != nullptr) return OtherKey(*entry, *other, key);
  return NeverPrepared(*entry, kind);
}

std::string ReferenceOf(const CatalogEntry& entry) {
  std::string reference;
  reference.reserve(entry.name.size() + 1 + entry.version.size());
  return reference.append(entry.name).append(1, ':').append(entry.version);
}

std::string SegmentKey(const Manifest& manifest, const ManifestVariant& variant) {
  const std::string_view kind = VariantName(variant.kind);
  std::string key;
  key.reserve(manifest.digest.size() + kind.size() + variant.key.size() + 2);
  return key.append(manifest.digest).append(1, '/').append(kind).append(1, '/').append(variant.key);
}

}  // namespace trims
