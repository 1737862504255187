// The `tensors` variant of safetensors: the tensors of every component, re-laid so that each begins at a
// multiple of kTensorAlignment.
#ifndef TRIMS_PREPARE_SAFETENSORS_VARIANT_H_
#define TRIMS_PREPARE_SAFETENSORS_VARIANT_H_

#include <string>
#include <vector>

#include "format/manifest.h"
#include "prepare/prepare_context.h"
#include "prepare/safetensors_choice.h"

namespace trims {

// The files' __metadata__ becomes "safetensors.<key>" of the index's metadata. DATA_LOSS: a shard lacks
// a tensor that its index says it has. FAILED_PRECONDITION: two files have a tensor of one name and no
// index says which is meant. Tensors that an index of ours can't have are left out with a note.
Result<ManifestVariant> MakeTensorsFromSafetensors(
    const PrepareContext& context, const std::vector<SafetensorsComponent>& components,
    std::vector<std::string>* notes);

}  // namespace trims

#endif  // TRIMS_PREPARE_SAFETENSORS_VARIANT_H_
