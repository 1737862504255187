// FinishVariant: from extents and what lies in them to a variant of the manifest and its index file.
//
//   TRIMS_ASSIGN_OR_RETURN(const Written file, std::move(out_file).Finish());
//   return FinishVariant(out, Variant::kTensors, "", {WholeFileExtent(file)}, std::move(content));
#ifndef TRIMS_PREPARE_FINISH_VARIANT_H_
#define TRIMS_PREPARE_FINISH_VARIANT_H_

#include <string>
#include <vector>

#include "trims/status.h"

#include "format/manifest.h"
#include "prepare/index_builder.h"
#include "prepare/out_folder.h"

namespace trims {

// Writes the index of a variant into its folder and fills in the manifest's entry but for the
// folder's name. Errors as BuildIndex's and OutFolder's.
Result<ManifestVariant> FinishVariant(const OutFolder& out, Variant kind, std::string key,
                                      std::vector<ManifestExtent> extents, IndexContent content);

// An extent that is one whole file of the variant's folder.
ManifestExtent WholeFileExtent(const Written& file);

}  // namespace trims

#endif  // TRIMS_PREPARE_FINISH_VARIANT_H_
