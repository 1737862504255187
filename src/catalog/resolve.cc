#include "catalog/resolve.h"

#include <set>
#include <utility>

#include "base/macros.h"
#include "base/shell_quote.h"
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
  return "trims add " + ShellQuote(ReferenceOf(entry)) + " " + ShellQuote(entry.manifest.source) +
         " --variant " + std::string(VariantName(kind));
}

// What was noted when it was added and could not be made.
std::string WhyNone(const CatalogEntry& entry, Variant kind) {
  const std::string begin = "no " + std::string(VariantName(kind)) + ": ";
  for (const std::string& note : entry.manifest.notes) {
    if (note.starts_with(begin)) return " (" + note.substr(begin.size()) + ")";
  }
  return "";
}

// Adding it again may bring the variant, but not tensors that were not found in the same bytes.
std::string NextStep(const CatalogEntry& entry, Variant kind) {
  const std::string& format = entry.manifest.format;
  const bool readable = format == "safetensors" || format == "onnx";
  const std::string open_another = "open one of the variants that it has";
  if (kind == Variant::kFiles || (kind == Variant::kOrt && format == "onnx")) {
    return AddCommand(entry, kind);
  }
  if (kind == Variant::kOrt || !readable) return "its format is '" + format + "': " + open_another;
  return WhyNone(entry, kind).empty() ? AddCommand(entry, kind) : open_another;
}

Status NeverPrepared(const CatalogEntry& entry, Variant kind) {
  return Status(StatusCode::kNotFound,
                "model '" + ReferenceOf(entry) + "' has no variant '" +
                    std::string(VariantName(kind)) + "'" + WhyNone(entry, kind) +
                    "; prepared: " + Prepared(entry.manifest),
                NextStep(entry, kind));
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

Result<std::vector<ImagePtr>> ImagesOf(const Catalog& catalog, const CatalogEntry& entry,
                                       const std::vector<Variant>& kinds) {
  if (kinds.empty()) return entry.images;
  std::vector<ImagePtr> images;
  for (const Variant kind : std::set<Variant>(kinds.begin(), kinds.end())) {
    TRIMS_ASSIGN_OR_RETURN(ImagePtr image, ResolveVariant(catalog, ReferenceOf(entry), kind, ""));
    images.push_back(std::move(image));
  }
  return images;
}

std::string ReferenceOf(const CatalogEntry& entry) {
  std::string reference;
  reference.reserve(entry.name.size() + 1 + entry.version.size());
  return reference.append(entry.name).append(1, ':').append(entry.version);
}

}  // namespace trims
