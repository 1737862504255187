// The `ort` variant: an ONNX model optimised once by ONNX Runtime, in a form that it maps without a
// copy.
//
// Form "bytes": the file model.ort, ONNX Runtime's own format, alone in its extent. Form "named",
// for models beyond `bytes_limit`, which that format can't hold: the file model.onnx, whose weights
// are external data in a file called "null", and these weights as tensors of the index. With the
// folder /dev that placeholder is /dev/null: it exists everywhere and reading it instead of a
// tensor can't succeed.
//
// A model of a size for "bytes" that can't be had in it (it has inputs that are sequences, say) takes
// the form "named". What was written is loaded once, with the options that clients use.
//
// Index metadata: format=onnx, ort.form=bytes|named, ort.version; and what the optimised form can't
// tell (prepare/ort_facts.h): onnx.graph_name, ort.probe in hexadecimal digits. ort.prepacking=1: a
// session must pack the weights to answer as one of the original does.
#ifndef TRIMS_PREPARE_ORT_VARIANT_H_
#define TRIMS_PREPARE_ORT_VARIANT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "format/manifest.h"
#include "prepare/onnx_source.h"
#include "prepare/ort_library.h"
#include "prepare/prepare_context.h"
#include "prepare/steady_graph.h"

namespace trims {

// A FlatBuffer ends at 2 GiB; what the optimiser adds to the weights must fit in too.
inline constexpr uint64_t kDefaultOrtBytesLimit = uint64_t{1900} << 20;

struct OrtVariantOptions {
  uint64_t bytes_limit = kDefaultOrtBytesLimit;
  uint64_t steady_min_bytes =
      kDefaultSteadyMinBytes;           // of weights in another form (steady_graph.h)
  std::vector<std::string> extensions;  // libraries of custom operators, loaded before
};

// UNIMPLEMENTED, INVALID_ARGUMENT: ONNX Runtime refuses the model, or it can't be had in either
// form. `notes`: what people should know of the variant.
Result<ManifestVariant> MakeOrtVariant(const PrepareContext& context, const OnnxSource& onnx,
                                       const OrtLibrary& ort, const OrtVariantOptions& options,
                                       std::vector<std::string>* notes);

}  // namespace trims

#endif  // TRIMS_PREPARE_ORT_VARIANT_H_
