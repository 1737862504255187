// OrtVariantKey: what an `ort` variant is bound to, as one string. The preparer writes it, the
// adapters ask for it: one function for both, so that they can't disagree.
//
//   OrtVariantKey("1.32.0")  →  "ort-1.32.0;level=all;cpu=x86-64,avx,avx2,fma,avx512f"
//
// ONNX Runtime's optimiser at its highest level picks memory layouts and fused operators for the
// processor it runs on, and their names change between its versions: a graph prepared elsewhere may
// be refused, or be wrong. Thread-safety: safe.
#ifndef TRIMS_BASE_ORT_VARIANT_KEY_H_
#define TRIMS_BASE_ORT_VARIANT_KEY_H_

#include <string>
#include <string_view>

namespace trims {

// `version` is ONNX Runtime's own, e.g. "1.32.0".
std::string OrtVariantKey(std::string_view version);

// This processor's architecture and the features that ONNX Runtime's kernels choose by, e.g.
// "x86-64,avx,avx2,fma".
std::string CpuFeatures();

}  // namespace trims

#endif  // TRIMS_BASE_ORT_VARIANT_KEY_H_
