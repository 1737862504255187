// OciManifest: what a registry says that an artifact consists of.
//
//   TRIMS_ASSIGN_OR_RETURN(const OciManifest manifest, ParseOciManifest(body));
//   manifest.files.front().name;    // "model.safetensors"
//   manifest.files.front().digest;  // "sha256:9f86d0…"
//
// A layer is a file under its title (org.opencontainers.image.title), as oras pushes files, or under its
// path (org.cncf.model.filepath) in a model package. The model layer of Ollama, and the GGUF layer of
// Docker's, which have no name, are "model.gguf"; a single layer without a name is "model".
// Source: OCI image specification 1.1; CNCF model specification. Thread-safety: a pure function.
#ifndef TRIMS_SOURCE_OCI_MANIFEST_H_
#define TRIMS_SOURCE_OCI_MANIFEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims {

struct OciFile {
  std::string name;
  uint64_t length = 0;
  std::string digest;  // "sha256:" and 64 hexadecimal digits
};

struct OciManifest {
  std::vector<OciFile> files;
  std::string
      only_manifest;  // of an index with a single manifest: its digest; then there are no files
};

// INVALID_ARGUMENT: no manifest, several layers without names, a digest other than SHA-256, or an index
// of several manifests, whose digests the hint gives. UNIMPLEMENTED: layers that are archives.
Result<OciManifest> ParseOciManifest(std::string_view json);

}  // namespace trims

#endif  // TRIMS_SOURCE_OCI_MANIFEST_H_
