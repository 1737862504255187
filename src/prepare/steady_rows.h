// SteadyRows: which rows of a graph's products have one shape, and who takes them.
//
// A product's rows are an image to the convolution that stands for it, and the next product goes on with the
// image; so does a sum of two such rows. As rows they are written only where something else takes them.
//
//   SteadyRows rows(reader);
//   TRIMS_RETURN_IF_ERROR(ForEachNode(window, [&](const OnnxNode& node) { rows.Add(node); }, rows.outputs()));
//   if (rows.IsSum(node)) …
//
// Thread-safety: one thread.
#ifndef TRIMS_PREPARE_STEADY_ROWS_H_
#define TRIMS_PREPARE_STEADY_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "prepare/onnx_node.h"
#include "prepare/steady_product.h"

namespace trims {

class SteadyRows {
 public:
  SteadyRows(const GraphConstants& constants, const SteadyOptions& options)
      : constants_(constants), reader_(constants, options) {}

  // Each of the graph's nodes, after those whose outputs it takes.
  void Add(const OnnxNode& node);
  // Names that the graph's caller takes go in here.
  std::unordered_set<std::string>* outputs() { return &wanted_; }

  // Of nodes that were added. Nothing: no product, or what is added to it has other rows.
  std::optional<Product> ProductOf(const OnnxNode& node) const;
  // Of two images, element by element.
  bool IsSum(const OnnxNode& node) const;
  // Whether a sum takes their image.
  bool IsSummed(const std::string& rows) const { return summed_.contains(rows); }
  // Whether something takes rows or a weight as they are; nested graphs may take any.
  bool IsWanted(const std::string& name) const { return nested_graphs_ || wanted_.contains(name); }
  // How many elements each has, of rows that a product or a sum gives.
  uint64_t WidthOf(const std::string& rows) const { return rows_.at(rows).width; }

 private:
  // As many rows as those that the first product of a chain took, `width` elements each.
  struct Rows {
    std::string first;
    uint64_t width = 0;
    bool operator==(const Rows&) const = default;
  };

  Rows RowsOf(const std::string& a, const Product& product) const;
  void FindResidual(const OnnxNode& node);
  void Follow(const OnnxNode& node, const Product& product);
  bool AddSum(const OnnxNode& node);

  const GraphConstants& constants_;
  const ProductReader reader_;
  std::unordered_map<std::string, Rows> rows_;  // by their name
  std::unordered_set<std::string> residuals_;   // products with one, by their output
  std::unordered_set<std::string> sums_;        // by the name of their rows
  std::unordered_set<std::string> summed_;
  std::unordered_set<std::string> wanted_;
  bool nested_graphs_ = false;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_STEADY_ROWS_H_
