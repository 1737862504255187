#include "prepare/steady_product.h"

#include <algorithm>
#include <cmath>

#include "format/onnx_fields.h"
#include "prepare/graph_nodes.h"

namespace trims {
namespace {

// Max of whole numbers, and Slice by inputs.
constexpr int kLeastOpset = 12;
// Reshape with allowzero, without which a 0 would be taken for "as before".
constexpr int kLeastOpsetOfAnyRank = 14;
// Weights are multiplied by it before the sum and not after: a larger one may go beyond what floats hold.
constexpr float kMaxScale = 65536;
constexpr uint64_t kPieceEdge = 32;

// Neither 0 nor NaN.
bool IsScale(float alpha) {
  return std::abs(alpha) >= 1 / kMaxScale && std::abs(alpha) <= kMaxScale;
}

bool IsActivation(const std::string& name) {
  return name.empty() || name == "Relu" || name == "Tanh" || name == "Sigmoid";
}

bool IsMatMul(const OnnxNode& node) {
  return Is(node, "", "MatMul") || Is(node, kMicrosoft, "FusedMatMul");
}

}  // namespace

bool ProductReader::IsKind(const OnnxNode& node) const {
  const bool gemm = Is(node, "", "Gemm") || Is(node, kMicrosoft, "FusedGemm");
  if (!gemm && !IsMatMul(node)) return false;
  if (node.inputs.size() < 2 || node.outputs.size() != 1) return false;
  if (constants_.opset() < (gemm ? kLeastOpset : kLeastOpsetOfAnyRank)) return false;
  for (const char* other_way : {"transA", "transBatchA", "transBatchB"}) {
    if (node.Int(other_way, 0) != 0) return false;
  }
  return true;
}

std::optional<Product> ProductReader::Read(const OnnxNode& node) const {
  if (!options_.blocked_convolutions || !IsKind(node)) return std::nullopt;
  Product product{
      .b = constants_.FindMatrix(node.inputs[1], onnx_fields::kFloat, options_.min_bytes),
      .transposed = node.Int("transB", 0) != 0,
      .any_rank = IsMatMul(node),
      .alpha = node.Float("alpha", 1),
      .beta = node.Float("beta", 1),
      .activation = node.String("activation")};
  if (product.b == nullptr || !IsScale(product.alpha)) return std::nullopt;
  if (!IsActivation(product.activation) || !TakeBias(node, &product)) return std::nullopt;
  return product;
}

// Without beta it is not even multiplied: NaN times 0 were NaN.
bool ProductReader::TakeBias(const OnnxNode& node, Product* product) const {
  if (node.inputs.size() < 3 || node.inputs[2].empty() || product->beta == 0) return true;
  product->bias = constants_.Find(node.inputs[2]);
  if (product->bias == nullptr) product->residual = node.inputs[2];
  return product->bias == nullptr || IsRow(*product->bias, product->n());
}

// One value for each column, in one row.
bool ProductReader::IsRow(const OnnxTensor& tensor, uint64_t n) const {
  const std::vector<uint64_t>& shape = tensor.entry.shape;
  if (tensor.onnx_type != onnx_fields::kFloat || !constants_.Has(tensor)) return false;
  return shape == std::vector<uint64_t>{n} || shape == std::vector<uint64_t>{1, n};
}

// A piece of either side that caches hold at a time.
void LayForConvolution(const Product& product, std::string_view given, std::vector<float>* laid) {
  const uint64_t n = product.n(), k = product.k();
  const uint64_t to_row = product.transposed ? k : 1, to_column = product.transposed ? 1 : n;
  const auto* from = reinterpret_cast<const float*>(given.data());
  laid->resize(n * k);
  float* to = laid->data();
  for (uint64_t rows = 0; rows < n; rows += kPieceEdge) {
    for (uint64_t columns = 0; columns < k; columns += kPieceEdge) {
      for (uint64_t row = rows; row < std::min(n, rows + kPieceEdge); ++row) {
        for (uint64_t column = columns; column < std::min(k, columns + kPieceEdge); ++column) {
          to[row * k + column] = product.alpha * from[row * to_row + column * to_column];
        }
      }
    }
  }
}

}  // namespace trims
