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

Status OtherKey(const CatalogEntry& entry, const Image& image, std::string_view key) {
  return Status(StatusCode::kFailedPrecondition,
                "variant '" + std::string(VariantName(image.kind)) + "' of model '" +
                    image.reference + "' was made for '" + image.variant_key + "', not for '" +
                    std::string(key) + "'",
                AddCommand(entry, image.kind));
}

}  // namespace

Result<ImagePtr> ResolveVariant(const Catalog& catalog, std::string_view requested, Variant kind,
                                std::string_view key) {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference reference, ParseModelReference(requested));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, catalog.Find(reference));
  const Image* other = nullptr;
  for (const ImagePtr& image : entry->images) {
    if (image->kind != kind) continue;
    if (key.empty() || image->variant_key == key) return image;
    other = image.get();
  }
  if (other != nullptr) return OtherKey(*entry, *other, key);
  return NeverPrepared(*entry, kind);
}

std::string ReferenceOf(const CatalogEntry& entry) {
  std::string reference;
  reference.reserve(entry.name.size() + 1 + entry.version.size());
  return reference.append(entry.name).append(1, ':').append(entry.version);
}

}  // namespace trims
