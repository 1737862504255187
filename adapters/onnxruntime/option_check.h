// WhyOriginal: whether a caller's session options ask for what a model's optimised form can't
// honour. Thread-safety: safe; the options are only read.
#ifndef TRIMS_ADAPTERS_ONNXRUNTIME_OPTION_CHECK_H_
#define TRIMS_ADAPTERS_ONNXRUNTIME_OPTION_CHECK_H_

#include <onnxruntime_cxx_api.h>

#include <string>
#include <string_view>

namespace trims::onnxruntime {

// In words, or empty: the optimised form will do. `probe`: "ort.probe" of the variant, in
// hexadecimal digits (src/prepare/ort_facts.h). Throws what ONNX Runtime throws.
std::string WhyOriginal(const Ort::Env& env, const Ort::SessionOptions& options,
                        std::string_view probe);

}  // namespace trims::onnxruntime

#endif  // TRIMS_ADAPTERS_ONNXRUNTIME_OPTION_CHECK_H_
