// The files that a pushed model has, by the names that they have there: what is prepared of a variant, and what
// it reads of its source.
//
//   Manifest pushed = manifest;
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<FileToPush> files, FilesToPush(images, root, cancel, &pushed));
//   files.front().name;  // "ort-0123/index"
//
// Thread-safety: safe, for distinct manifests.
#ifndef TRIMS_INGEST_PUSHED_FILES_H_
#define TRIMS_INGEST_PUSHED_FILES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "format/image.h"
#include "format/manifest.h"

namespace trims {

struct FileOfVariant {
  PieceOrigin origin = PieceOrigin::kPrepared;
  std::string path;  // in its origin
};

// All files of a variant by the names that they have in its folder of a pushed model, in the order in which
// the variant's extents begin with them, the index before them; and the variant with these names.
std::vector<std::pair<std::string, FileOfVariant>> TakeFiles(ManifestVariant* variant);

struct FileToPush {
  std::string name;  // beneath the pushed model
  FileOfVariant file;
  size_t variant = 0;  // whose it is: its place in the manifest
  uint64_t length = 0;
};

// Of all variants; and the manifest as it is pushed. `images` are all of the manifest's. Looks at the files,
// where they lie on a network if not on this disk: errors as ImageFiles::Open and FetchMissing.
Result<std::vector<FileToPush>> FilesToPush(const std::vector<ImagePtr>& images,
                                            const std::string& prepared_root, CancelToken* cancel,
                                            Manifest* manifest);

uint64_t TotalLength(const std::vector<FileToPush>& files);

}  // namespace trims

#endif  // TRIMS_INGEST_PUSHED_FILES_H_
