#include "prepare/steady_rows.h"

#include <cstddef>

#include "prepare/graph_nodes.h"

namespace trims {

// What takes its rows as they are is whatever is no product and no sum.
void SteadyRows::Add(const OnnxNode& node) {
  nested_graphs_ |= node.holds_graphs;
  FindResidual(node);
  const std::optional<Product> product = ProductOf(node);
  if (product) Follow(node, *product);
  if (AddSum(node)) return;
  const bool has_rows = product && !product->residual.empty();
  const size_t taken = has_rows ? node.inputs.size() : product ? 2 : 0;
  wanted_.insert(node.inputs.begin() + static_cast<ptrdiff_t>(taken), node.inputs.end());
  if (product && constants_.Find(node.inputs[0]) != nullptr) wanted_.insert(node.inputs[0]);
}

std::optional<Product> SteadyRows::ProductOf(const OnnxNode& node) const {
  std::optional<Product> product = reader_.Read(node);
  const bool other = product && !product->residual.empty() && !residuals_.contains(node.outputs[0]);
  return other ? std::nullopt : product;
}

bool SteadyRows::IsSum(const OnnxNode& node) const {
  return node.op == "Add" && node.inputs.size() == 2 && node.outputs.size() == 1 &&
         sums_.contains(node.outputs[0]);
}

SteadyRows::Rows SteadyRows::RowsOf(const std::string& a, const Product& product) const {
  const auto known = rows_.find(a);
  return known == rows_.end() ? Rows{a, product.k()} : known->second;
}

void SteadyRows::Follow(const OnnxNode& node, const Product& product) {
  const std::string& a = node.inputs[0];
  const Rows taken = rows_.try_emplace(a, RowsOf(a, product)).first->second;
  rows_.insert_or_assign(node.outputs[0], Rows{taken.first, product.n()});
  if (!product.residual.empty()) summed_.insert(product.residual);
}

// ONNX Runtime makes a product and a sum one Gemm.
void SteadyRows::FindResidual(const OnnxNode& node) {
  const std::optional<Product> product = reader_.Read(node);
  if (!product || product->residual.empty() || product->beta != 1) return;
  const Rows taken = RowsOf(node.inputs[0], *product);
  const Rows added =
      product->residual == node.inputs[0] ? taken : RowsOf(product->residual, *product);
  if (added == Rows{taken.first, product->n()}) residuals_.insert(node.outputs[0]);
}

// What is added to a product's rows, element by element, is added to its image: the sum of a
// residual block, say. What it gives are such rows again.
bool SteadyRows::AddSum(const OnnxNode& node) {
  if (!Is(node, "", "Add") || node.inputs.size() != 2 || node.outputs.size() != 1) return false;
  const auto a = rows_.find(node.inputs[0]);
  const auto b = rows_.find(node.inputs[1]);
  if (a == rows_.end() || b == rows_.end() || a->second != b->second) return false;
  sums_.insert(node.outputs[0]);
  summed_.insert({node.inputs[0], node.inputs[1]});
  rows_.insert_or_assign(node.outputs[0], Rows(a->second));
  return true;
}

}  // namespace trims
