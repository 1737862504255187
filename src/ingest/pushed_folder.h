// A pushed model: what one node has prepared, as a folder that another takes over byte for byte, without
// preparing it again: kPushedManifest, and a folder for each variant with all that it reads.
//
//   TRIMS_RETURN_IF_ERROR(PushToFolder(manifest, images, prepared_root, "/exports/ocr").status());
//   IsPushed("/exports/ocr");  // true
//   TRIMS_ASSIGN_OR_RETURN(const Manifest manifest, ImportPushed(job, {}));
//
// The manifest is a catalog's (docs/json.md), in which every piece lies in its variant's folder. It is
// written last, and each file gets its name when it is whole: who reads meanwhile sees what was there
// before. A folder without a manifest is none. Blocks. Thread-safety: safe, for distinct folders.
#ifndef TRIMS_INGEST_PUSHED_FOLDER_H_
#define TRIMS_INGEST_PUSHED_FOLDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "format/image.h"
#include "format/manifest.h"
#include "ingest/push_calls.h"

namespace trims {

inline constexpr std::string_view kPushedManifest = "trims.json";

// `images` are all of the manifest's. `folder` is absolute; it is made, and what an earlier push has left
// in it is written over. Returns the bytes. DATA_LOSS: what lies here is damaged; NOT_FOUND: the folder
// it should be in isn't there; PERMISSION_DENIED; RESOURCE_EXHAUSTED; CANCELLED.
Result<uint64_t> PushToFolder(const Manifest& manifest, const std::vector<ImagePtr>& images,
                              const std::string& prepared_root, const std::string& folder,
                              const PushCalls& calls = {});

bool IsPushed(const std::string& folder);

// Before it is read. INVALID_ARGUMENT: no manifest has that many bytes.
Status CheckPushedManifestLength(const std::string& where, uint64_t length);

struct PushedFile {
  std::string name;           // beneath the pushed model's folder
  uint64_t least_length = 0;  // bytes that are read of it
  bool index = false;
};

// All files of the pushed model in `folder` but its manifest, which is all of it that has to be there.
// Errors as ImportPushed's of a manifest.
Result<std::vector<PushedFile>> FilesOfPushed(const std::string& folder);

struct ImportJob {
  std::string folder;             // of the pushed model, absolute
  std::string incoming;           // where its variants' folders come to lie; absolute, there, empty
  std::vector<Variant> variants;  // empty: all that there are
  // Where it was pushed to, a URL of a network: then `folder` has the manifest and the indexes, whose files
  // are nobody else's, and of the rest the manifest that comes back says where it is. Empty: all is in it.
  std::string remote = {};
};

// The manifest, whose source is the caller's to say. Everything that is in the folder is read and compared
// with the digests in it. INVALID_ARGUMENT: it is no manifest of a pushed model; NOT_FOUND: a file or a variant isn't there;
// DATA_LOSS: other bytes; FAILED_PRECONDITION: of another release; RESOURCE_EXHAUSTED.
Result<Manifest> ImportPushed(const ImportJob& job);

}  // namespace trims

#endif  // TRIMS_INGEST_PUSHED_FOLDER_H_
