// MergeManifests: one manifest of what was prepared before and what has been prepared now, for
// equal content.
//
// Thread-safety: pure functions.
#ifndef TRIMS_INGEST_MERGE_H_
#define TRIMS_INGEST_MERGE_H_

#include <string>
#include <vector>

#include "format/manifest.h"

namespace trims {

// The variants of `old` that outlive `fresh`: those it does not have by kind and key, unless they
// read from a source that is another one now. Fresh ones win, so that adding a model again mends
// damaged variants. Never more than a manifest may hold.
std::vector<ManifestVariant> KeptVariants(const Manifest& old, const Manifest& fresh);

// Puts `prefix` ("0123456789abcdef-0/") before the variants' folders, which were relative to it.
void PrefixFolders(const std::string& prefix, std::vector<ManifestVariant>* variants);

// `fresh` with `kept` before its own variants, and the notes of both.
Manifest MergeManifests(const Manifest& old, Manifest fresh, std::vector<ManifestVariant> kept);

}  // namespace trims

#endif  // TRIMS_INGEST_MERGE_H_
