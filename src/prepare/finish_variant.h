// What one run of the preparer works on, and what the parts of it hand to each other.
#ifndef TRIMS_PREPARE_JOB_H_
#define TRIMS_PREPARE_JOB_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trims/status.h"

#include "format/manifest.h"
#include "prepare/index_builder.h"
#include "prepare/out_folder.h"
#include "prepare/progress.h"
#include "source/file_tree.h"

namespace trims {

// A FlatBuffer ends at 2 GiB; what the optimiser adds to the weights must fit in too.
inline constexpr uint64_t kDefaultOrtBytesLimit = uint64_t{1900} << 20;

inline constexpr uint64_t kTensorAlignment = 256;  // of a tensor in its extent
inline constexpr uint64_t kFileAlignment = 4096;   // of a file in an extent that it shares

// All borrowed. `out` is the folder of the variant that is being made.
struct PrepareContext {
  const FileTree& source;
  const OutFolder& out;
  Progress& progress;
};

// Writes the index of a variant into its folder and fills in the manifest's entry but for the
// folder's name.
Result<ManifestVariant> FinishVariant(const OutFolder& out, Variant kind, std::string key,
                                      std::vector<ManifestExtent> extents, IndexContent content);

// An extent that is one whole file of the variant's folder.
ManifestExtent WholeFileExtent(const Written& file);

}  // namespace trims

#endif  // TRIMS_PREPARE_JOB_H_
