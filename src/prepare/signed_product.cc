#include "prepare/signed_product.h"

#include <cstddef>
#include <string>

#include "base/macros.h"
#include "format/onnx_fields.h"
#include "prepare/graph_nodes.h"

namespace trims {
namespace {

constexpr size_t kQuantised = 1, kZeroPoint = 3;  // inputs

bool HasZeroPoint(const OnnxNode& node) {
  return node.inputs.size() > kZeroPoint && !node.inputs[kZeroPoint].empty();
}

// 128 less each, and so is their zero.
Result<std::string> Signed(const std::string& name, GraphConstants* constants) {
  const OnnxTensor& tensor = *constants->Find(name);
  TRIMS_ASSIGN_OR_RETURN(std::string bytes, constants->BytesOf(tensor));
  for (char& byte : bytes) byte = static_cast<char>(static_cast<unsigned char>(byte) ^ 0x80);
  return constants->Add(onnx_fields::kInt8, tensor.entry.shape, bytes);
}

}  // namespace

bool IsUnsignedProduct(const OnnxNode& node, const GraphConstants& constants, uint64_t min_bytes) {
  if (!Is(node, kMicrosoft, kQuantisedProduct) || node.inputs.size() < 3) return false;
  if (constants.FindMatrix(node.inputs[kQuantised], onnx_fields::kUint8, min_bytes) == nullptr) {
    return false;
  }
  if (!HasZeroPoint(node)) return true;
  const OnnxTensor* zero = constants.Find(node.inputs[kZeroPoint]);
  return zero != nullptr && zero->onnx_type == onnx_fields::kUint8;
}

Result<OnnxNode> SignedProduct(OnnxNode node, GraphConstants* constants) {
  TRIMS_ASSIGN_OR_RETURN(node.inputs[kQuantised], Signed(node.inputs[kQuantised], constants));
  if (HasZeroPoint(node)) {
    TRIMS_ASSIGN_OR_RETURN(node.inputs[kZeroPoint], Signed(node.inputs[kZeroPoint], constants));
    return node;
  }
  if (node.inputs.size() <= kZeroPoint) node.inputs.resize(kZeroPoint + 1);
  TRIMS_ASSIGN_OR_RETURN(node.inputs[kZeroPoint],
                         constants->Add(onnx_fields::kInt8, {}, std::string(1, '\x80')));
  return node;
}

}  // namespace trims
