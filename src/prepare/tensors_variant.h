// The `tensors` variant: the weights of an ONNX model, re-laid at 256 bytes in one
// extent.
#ifndef TRIMS_PREPARE_TENSORS_VARIANT_H_
#define TRIMS_PREPARE_TENSORS_VARIANT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "format/manifest.h"
#include "prepare/onnx_source.h"
#include "prepare/prepare_context.h"
#include "prepare/tensor_layout.h"

namespace trims {

// Notes tensors that a format can have and an index can't.
void NoteLeftOut(const LeftOutTensors& tensors, std::vector<std::string>* notes);

// Notes what aligning layers left empty.
void NoteWasted(const TensorLayout& layout, std::vector<std::string>* notes);

// Initializers that tensors can't have (strings, sparse ones, those of OnnxModel::left_out) are left
// out with a note.
// FAILED_PRECONDITION: nothing is left.
Result<ManifestVariant> MakeTensorsFromOnnx(const PrepareContext& context, const OnnxSource& onnx,
                                            std::vector<std::string>* notes);

}  // namespace trims

#endif  // TRIMS_PREPARE_TENSORS_VARIANT_H_
