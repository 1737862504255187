// Image: what a tier holds: one variant of one model, wherever its bytes lie.
//
// Made once, when a model enters the catalog, and shared from then on: whoever opens, loads, lists or
// evicts points to the same one, so that none of them copies a manifest or builds a key. Equal
// content has equal keys, whatever its name, and only that: who has opened one image by its key is
// given no other's bytes, whatever a manifest says.
//
//   entry.images = MakeImages(entry.manifest, "default/ocr", "v1");
//   const ImagePtr image = entry.images.front();
//   resident.find(image->key);
//
// Immutable, so any thread may read one.
#ifndef TRIMS_FORMAT_IMAGE_H_
#define TRIMS_FORMAT_IMAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trims/model.h"

#include "format/manifest.h"

namespace trims {

struct Image {
  std::string reference;  // "namespace/name:version"
  std::string digest;     // of the model's files
  Variant kind = Variant::kFiles;
  std::string variant_key;  // what it is bound to (ManifestVariant::key)
  std::string key;          // its identity: kind, variant key, and the digests of index and extents
  uint64_t footprint = 0;   // bytes of room it takes when it is resident
  uint64_t file_bytes = 0;  // of the files that it is read from, as far as they are read
  std::string source;       // where source pieces come from: a URL
  ManifestVariant variant;
};

using ImagePtr = std::shared_ptr<const Image>;

// One for each variant, in the manifest's order.
std::vector<ImagePtr> MakeImages(const Manifest& manifest, const std::string& name,
                                 const std::string& version);

}  // namespace trims

#endif  // TRIMS_FORMAT_IMAGE_H_
