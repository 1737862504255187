// Product: a node of an ONNX graph that multiplies by a constant matrix, and its weights as a convolution takes them.
//
//   const ProductReader reader(constants, options);
//   if (const std::optional<Product> product = reader.Read(node)) …
//
// Thread-safety: functions of their arguments.
#ifndef TRIMS_PREPARE_STEADY_PRODUCT_H_
#define TRIMS_PREPARE_STEADY_PRODUCT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prepare/graph_constants.h"
#include "prepare/onnx_node.h"
#include "prepare/steady_graph.h"

namespace trims {

// y = activation(alpha × a × b + beta × bias), b constant: what Gemm, MatMul and their fused forms have in common.
struct Product {
  const OnnxTensor* b = nullptr;
  const OnnxTensor* bias = nullptr;
  std::string residual;     // instead of a bias: rows of the product's own shape
  bool transposed = false;  // b is N × K
  bool any_rank = false;    // of a; else it has two dimensions
  float alpha = 1;
  float beta = 1;
  std::string activation;

  uint64_t k() const { return b->entry.shape[transposed ? 1 : 0]; }
  uint64_t n() const { return b->entry.shape[transposed ? 0 : 1]; }
};

class ProductReader {
 public:
  // Borrows the constants.
  ProductReader(const GraphConstants& constants, const SteadyOptions& options)
      : constants_(constants), options_(options) {}

  // Nothing: it is none, or one that no convolution can stand for. Which rows a residual has isn't asked.
  std::optional<Product> Read(const OnnxNode& node) const;

 private:
  bool IsKind(const OnnxNode& node) const;
  bool TakeBias(const OnnxNode& node, Product* product) const;
  bool IsRow(const OnnxTensor& tensor, uint64_t n) const;

  const GraphConstants& constants_;
  const SteadyOptions options_;
};

// `given`: b as it lies. N × K, times alpha.
void LayForConvolution(const Product& product, std::string_view given, std::vector<float>* laid);

}  // namespace trims

#endif  // TRIMS_PREPARE_STEADY_PRODUCT_H_
