#include "ingest/merge_manifests.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace trims {
namespace {

constexpr size_t kMaxNotes = 100;

bool ReadsFromSource(const ManifestVariant& variant) {
  return std::any_of(variant.extents.begin(), variant.extents.end(), [](const auto& extent) {
    return std::any_of(extent.pieces.begin(), extent.pieces.end(),
                       [](const auto& piece) { return piece.origin == PieceOrigin::kSource; });
  });
}

bool Has(const Manifest& manifest, const Image& image) {
  return std::any_of(manifest.variants.begin(), manifest.variants.end(), [&](const auto& variant) {
    return variant.kind == image.kind && variant.key == image.variant_key;
  });
}

}  // namespace

std::vector<ImagePtr> ImagesToKeep(const std::vector<ImagePtr>& old, const Manifest& fresh) {
  const size_t room = kMaxManifestVariants - std::min(kMaxManifestVariants, fresh.variants.size());
  const std::string precision = fresh.variants.empty() ? "" : fresh.variants.front().precision;
  std::vector<ImagePtr> kept;
  for (const ImagePtr& image : old) {
    if (image->variant.precision != precision) continue;
    if (Has(fresh, *image)) continue;
    if (image->source != fresh.source && ReadsFromSource(image->variant)) continue;
    kept.push_back(image);
  }
  // The oldest go first where there are too many.
  if (kept.size() > room) kept.erase(kept.begin(), kept.end() - static_cast<ptrdiff_t>(room));
  return kept;
}

Manifest MergeManifests(Manifest fresh, const std::vector<ImagePtr>& kept,
                        const std::vector<std::string>& old_notes) {
  if (kept.empty()) return fresh;
  std::vector<ManifestVariant> variants;
  for (const ImagePtr& image : kept) variants.push_back(image->variant);
  std::move(fresh.variants.begin(), fresh.variants.end(), std::back_inserter(variants));
  fresh.variants = std::move(variants);
  for (const std::string& note : old_notes) {
    if (fresh.notes.size() >= kMaxNotes) break;
    if (std::find(fresh.notes.begin(), fresh.notes.end(), note) == fresh.notes.end()) {
      fresh.notes.push_back(note);
    }
  }
  return fresh;
}

}  // namespace trims
