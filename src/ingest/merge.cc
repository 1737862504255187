#include "ingest/merge.h"

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

bool Has(const Manifest& manifest, const ManifestVariant& variant) {
  return std::any_of(manifest.variants.begin(), manifest.variants.end(), [&](const auto& other) {
    return other.kind == variant.kind && other.key == variant.key;
  });
}

}  // namespace

std::vector<ManifestVariant> KeptVariants(const Manifest& old, const Manifest& fresh) {
  const size_t room = kMaxManifestVariants - std::min(kMaxManifestVariants, fresh.variants.size());
  std::vector<ManifestVariant> kept;
  for (const ManifestVariant& variant : old.variants) {
    if (Has(fresh, variant)) continue;
    if (old.source != fresh.source && ReadsFromSource(variant)) continue;
    kept.push_back(variant);
  }
  // The oldest go first where there are too many.
  if (kept.size() > room) kept.erase(kept.begin(), kept.end() - static_cast<ptrdiff_t>(room));
  return kept;
}

void PrefixFolders(const std::string& prefix, std::vector<ManifestVariant>* variants) {
  for (ManifestVariant& variant : *variants) variant.folder = prefix + variant.folder;
}

Manifest MergeManifests(const Manifest& old, Manifest fresh, std::vector<ManifestVariant> kept) {
  kept.insert(kept.end(), std::make_move_iterator(fresh.variants.begin()),
              std::make_move_iterator(fresh.variants.end()));
  fresh.variants = std::move(kept);
  for (const std::string& note : old.notes) {
    if (fresh.notes.size() >= kMaxNotes) break;
    if (std::find(fresh.notes.begin(), fresh.notes.end(), note) == fresh.notes.end()) {
      fresh.notes.push_back(note);
    }
  }
  return fresh;
}

}  // namespace trims
