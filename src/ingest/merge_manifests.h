// MergeManifests: one manifest of what was prepared before and what has been prepared now, for
// equal content.
//
// Thread-safety: pure functions.
#ifndef TRIMS_INGEST_MERGE_MANIFESTS_H_
#define TRIMS_INGEST_MERGE_MANIFESTS_H_

#include <string>
#include <vector>

#include "format/image.h"
#include "format/manifest.h"

namespace trims {

// Those of `old` that outlive `fresh`: what it does not have by kind and key, unless they read from a
// source that is another one now, or are of another precision, which would be another model's. Fresh ones win, so that adding a model again mends damaged variants.
// Never more than a manifest may hold.
std::vector<ImagePtr> ImagesToKeep(const std::vector<ImagePtr>& old, const Manifest& fresh);

// `fresh` with the variants of `kept` before its own, and the notes of both. Where nothing is kept, it
// is `fresh`: notes speak of variants.
Manifest MergeManifests(Manifest fresh, const std::vector<ImagePtr>& kept,
                        const std::vector<std::string>& old_notes);

}  // namespace trims

#endif  // TRIMS_INGEST_MERGE_MANIFESTS_H_
