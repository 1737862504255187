// The `tensors` variant: the weights of a safetensors or ONNX model, re-laid at 256 bytes in one
// extent.
#ifndef TRIMS_PREPARE_TENSORS_VARIANT_H_
#define TRIMS_PREPARE_TENSORS_VARIANT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "format/manifest.h"
#include "prepare/onnx_source.h"
#include "prepare/prepare_context.h"

namespace trims {

// Initializers of types that tensors can't have (STRING, INT4, …) are left out with a note.
// FAILED_PRECONDITION: nothing is left.
Result<ManifestVariant> MakeTensorsFromOnnx(const PrepareContext& context, const OnnxSource& onnx,
                                            std::vector<std::string>* notes);

}  // namespace trims

#endif  // TRIMS_PREPARE_TENSORS_VARIANT_H_
