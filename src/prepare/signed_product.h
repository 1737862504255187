// A quantised product whose weights are bytes without a sign, as one whose weights have a sign: the same whole
// numbers, which the kernel of processors with VNNI takes as they are.
//
//   if (IsUnsignedProduct(node, constants, min_bytes)) {
//     TRIMS_ASSIGN_OR_RETURN(const OnnxNode with_sign, SignedProduct(node, &constants));
//
// Thread-safety: functions of their arguments.
#ifndef TRIMS_PREPARE_SIGNED_PRODUCT_H_
#define TRIMS_PREPARE_SIGNED_PRODUCT_H_

#include <cstdint>

#include "trims/status.h"

#include "prepare/graph_constants.h"
#include "prepare/onnx_node.h"

namespace trims {

// `min_bytes`: of its weights.
bool IsUnsignedProduct(const OnnxNode& node, const GraphConstants& constants, uint64_t min_bytes);

// Of a node that is one. Errors: as GraphConstants::BytesOf() and Add().
Result<OnnxNode> SignedProduct(OnnxNode node, GraphConstants* constants);

}  // namespace trims

#endif  // TRIMS_PREPARE_SIGNED_PRODUCT_H_
