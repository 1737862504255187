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
#include <span>
#include <string>
#include <vector>

#include "trims/model.h"

#include "format/manifest.h"

namespace trims {

struct Image;

// Bytes of a part's extent that a piece has.
struct ImageSlice {
  size_t part = 0;  // of PartsOf(*from)
  uint32_t extent = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
};

struct Image {
  std::string reference;  // "namespace/name:version"
  std::string digest;     // of the model's files
  Variant kind = Variant::kFiles;
  std::string variant_key;  // what it is bound to (ManifestVariant::key)
  std::string key;          // its identity: kind, variant key, and the digests of index and extents
  uint64_t footprint =
      0;  // bytes of room it takes when it is resident: all of its parts, if it has some
  uint64_t file_bytes = 0;  // of the files that it is read from, as far as they are read
  std::string source;       // where source pieces come from: a URL
  ManifestVariant variant;
  // Of one that is put together: what it has itself, then what it borrows. Each is an image of its own, with a segment of its own,
  // and the whole never has one. Empty: it is no such image.
  std::vector<std::shared_ptr<const Image>> parts = {};
  // Of a piece (format/device_forms.h): what it is brought from, a part or several put together, and which of their bytes it has,
  // one after the other; none: it is an index alone. nullptr: it is no piece.
  std::shared_ptr<const Image> from = {};
  std::vector<ImageSlice> slices = {};
};

using ImagePtr = std::shared_ptr<const Image>;

// What has segments of it: its parts, or itself. Ends with `image`.
std::span<const ImagePtr> PartsOf(const ImagePtr& image);

// One for each variant, in the manifest's order.
std::vector<ImagePtr> MakeImages(const Manifest& manifest, const std::string& name,
                                 const std::string& version);

}  // namespace trims

#endif  // TRIMS_FORMAT_IMAGE_H_
