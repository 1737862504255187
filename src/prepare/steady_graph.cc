#include "prepare/steady_graph.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "format/onnx_fields.h"
#include "prepare/graph_constants.h"
#include "prepare/graph_nodes.h"
#include "prepare/onnx_node.h"
#include "prepare/protobuf_copy.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this format

// Fields of onnx.proto that nothing else writes.
enum Described : uint32_t {
  kGraphValue = 13,
  kTypeTensor = 1,
  kTypeElement = 1,
  kTypeShape = 2,
  kShapeDimension = 1,
  kDimensionValue = 1
};

// Max of whole numbers, and Slice by inputs.
constexpr int kLeastOpset = 12;
// Reshape with allowzero, without which a 0 would be taken for "as before".
constexpr int kLeastOpsetOfAnyRank = 14;
constexpr uint64_t kPieceEdge = 32;
constexpr int kLeastOpsetOfShapeParts = 15;  // Shape with start and end
// Weights are multiplied by it before the sum and not after: a larger one may go beyond what floats hold.
constexpr float kMaxScale = 65536;

// y = activation(a × b + bias), b constant: what Gemm, MatMul and their fused forms have in common.
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

// Neither 0 nor NaN.
bool IsScale(float alpha) {
  return std::abs(alpha) >= 1 / kMaxScale && std::abs(alpha) <= kMaxScale;
}

std::vector<float> FloatsOf(const std::string& bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

std::string_view BytesOfFloats(const std::vector<float>& floats) {
  return {reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float)};
}

class SteadyRewriter {
 public:
  SteadyRewriter(const RandomAccess& graph, const SteadyOptions& options, GraphConstants constants)
      : window_(graph), options_(options), constants_(std::move(constants)) {}

  Result<std::optional<std::string>> Run() {
    TRIMS_RETURN_IF_ERROR(FindUsers());
    TRIMS_ASSIGN_OR_RETURN(std::string model, CopyModel(window_, [this](FileRange message) {
                             return Graph(message);
                           }));
    if (changed_ == 0 || refused_) return std::optional<std::string>();
    return std::optional(std::move(model));
  }

 private:
  // The rows of a product, as the points of an image with as many channels as a row has elements.
  struct Image {
    std::string name = {};
    std::string before = {};  // the shape of the rows without their last dimension
    bool any_rank = false;
  };

  // Rows of one shape: as many as those that the first product of a chain took, `width` elements each.
  struct Rows {
    std::string first;
    uint64_t width = 0;
    bool operator==(const Rows&) const = default;
  };

  // Who takes rows and weights as they are: whatever is no product and no sum of images, and the
  // graph's caller.
  Status FindUsers() {
    return ForEachNode(
        window_,
        [this](const OnnxNode& node) {
          nested_graphs_ |= node.holds_graphs;
          FindResidual(node);
          const std::optional<Product> product = ProductOf(node);
          if (product) FollowRows(node, *product);
          if (AddsImages(node)) return;
          const bool has_rows = product && !product->residual.empty();
          const size_t taken = has_rows ? node.inputs.size() : product ? 2 : 0;
          rows_wanted_.insert(node.inputs.begin() + static_cast<ptrdiff_t>(taken),
                              node.inputs.end());
          if (product && constants_.Find(node.inputs[0]) != nullptr) {
            rows_wanted_.insert(node.inputs[0]);
          }
        },
        &rows_wanted_);
  }

  Rows RowsOf(const std::string& a, const Product& product) const {
    const auto known = rows_.find(a);
    return known == rows_.end() ? Rows{a, product.k()} : known->second;
  }

  void FollowRows(const OnnxNode& node, const Product& product) {
    const std::string& a = node.inputs[0];
    const Rows taken = rows_.try_emplace(a, RowsOf(a, product)).first->second;
    rows_.insert_or_assign(node.outputs[0], Rows{taken.first, product.n()});
    if (!product.residual.empty()) summed_.insert(product.residual);
  }

  // ONNX Runtime makes a product and a sum one Gemm.
  void FindResidual(const OnnxNode& node) {
    const std::optional<Product> product = AnyProductOf(node);
    if (!product || product->residual.empty() || product->beta != 1) return;
    const Rows taken = RowsOf(node.inputs[0], *product);
    const Rows added =
        product->residual == node.inputs[0] ? taken : RowsOf(product->residual, *product);
    if (added == Rows{taken.first, product->n()}) residuals_.insert(node.outputs[0]);
  }

  // What is added to a product's rows, element by element, is added to its image: the sum of a
  // residual block, say. What it gives are such rows again.
  bool AddsImages(const OnnxNode& node) {
    if (!Is(node, "", "Add") || node.inputs.size() != 2 || node.outputs.size() != 1) return false;
    const auto a = rows_.find(node.inputs[0]);
    const auto b = rows_.find(node.inputs[1]);
    if (a == rows_.end() || b == rows_.end() || a->second != b->second) return false;
    sums_.insert(node.outputs[0]);
    summed_.insert({node.inputs[0], node.inputs[1]});
    rows_.insert_or_assign(node.outputs[0], Rows(a->second));
    return true;
  }

  Result<std::string> Graph(FileRange message) {
    TRIMS_ASSIGN_OR_RETURN(
        std::string graph,
        CopyMessage(window_, message,
                    [this](const ProtobufField& field, ProtobufWriter& out) -> Result<bool> {
                      if (!field.is_bytes()) return false;
                      if (field.number == kGraphNode) return Node(field.payload, out);
                      return field.number == kGraphInitializer && IsReplaced(field.payload);
                    }));
    graph.append(described_.message());
    graph.append(constants_.added());
    return graph;
  }

  // Nobody else takes it: it need not be carried along. Nodes come before what they use.
  bool IsReplaced(FileRange initializer) const {
    const auto name = replaced_.find(initializer.begin);
    return name != replaced_.end() && !rows_wanted_.contains(name->second) && !nested_graphs_;
  }

  Result<bool> Node(FileRange message, ProtobufWriter& graph) {
    TRIMS_ASSIGN_OR_RETURN(const OnnxNode node, ReadOnnxNode(window_, message));
    refused_ |= node.op == kNeedsPacking;
    if (const std::optional<Product> product = ProductOf(node)) {
      TRIMS_RETURN_IF_ERROR(WriteConvolution(node, *product, graph));
      return true;
    }
    if (IsSum(node)) {
      TRIMS_RETURN_IF_ERROR(WriteSum(node, graph));
      return true;
    }
    if (IsUnsignedProduct(node)) {
      TRIMS_RETURN_IF_ERROR(WriteSigned(node, graph));
      return true;
    }
    return false;
  }

  bool IsMatrix(const OnnxTensor* tensor, int32_t type) const {
    return tensor != nullptr && tensor->onnx_type == type && tensor->entry.shape.size() == 2 &&
           tensor->entry.length >= std::max<uint64_t>(options_.min_bytes, 1) &&
           constants_.Has(*tensor);
  }

  // One value for each column, in one row.
  bool IsRow(const OnnxTensor& tensor, uint64_t n) const {
    const std::vector<uint64_t>& shape = tensor.entry.shape;
    if (tensor.onnx_type != kFloat || !constants_.Has(tensor)) return false;
    return shape == std::vector<uint64_t>{n} || shape == std::vector<uint64_t>{1, n};
  }

  std::optional<Product> ProductOf(const OnnxNode& node) const {
    std::optional<Product> product = AnyProductOf(node);
    const bool other =
        product && !product->residual.empty() && !residuals_.contains(node.outputs[0]);
    return other ? std::nullopt : product;
  }

  // Whatever rows are added.
  std::optional<Product> AnyProductOf(const OnnxNode& node) const {
    if (!options_.blocked_convolutions || constants_.opset() < kLeastOpset) return std::nullopt;
    if (node.inputs.size() < 2 || node.outputs.size() != 1) return std::nullopt;
    const bool gemm = Is(node, "", "Gemm") || Is(node, kMicrosoft, "FusedGemm");
    const bool matmul = Is(node, "", "MatMul") || Is(node, kMicrosoft, "FusedMatMul");
    if (!gemm && !matmul) return std::nullopt;
    if (matmul && constants_.opset() < kLeastOpsetOfAnyRank) return std::nullopt;
    for (const char* other_way : {"transA", "transBatchA", "transBatchB"}) {
      if (node.Int(other_way, 0) != 0) return std::nullopt;
    }
    Product product{.b = constants_.Find(node.inputs[1]),
                    .transposed = node.Int("transB", 0) != 0,
                    .any_rank = matmul,
                    .alpha = node.Float("alpha", 1),
                    .beta = node.Float("beta", 1),
                    .activation = node.String("activation")};
    if (!IsMatrix(product.b, kFloat) || !IsScale(product.alpha)) return std::nullopt;
    const std::string& activation = product.activation;
    const bool known = activation.empty() || activation == "Relu" || activation == "Tanh" ||
                       activation == "Sigmoid";
    return known && TakeBias(node, &product) ? std::optional(product) : std::nullopt;
  }

  // Without beta it is not even multiplied: NaN times 0 were NaN.
  bool TakeBias(const OnnxNode& node, Product* product) const {
    if (node.inputs.size() < 3 || node.inputs[2].empty() || product->beta == 0) return true;
    product->bias = constants_.Find(node.inputs[2]);
    if (product->bias == nullptr) product->residual = node.inputs[2];
    return product->bias == nullptr || IsRow(*product->bias, product->n());
  }

  // N × K × 1 × 1, times alpha; once for all products with it.
  Result<std::string> Weights(const Product& product) {
    const auto [known, is_new] =
        weights_.try_emplace(std::tuple(product.b->entry.name, product.transposed, product.alpha));
    if (!is_new) return known->second;
    TRIMS_RETURN_IF_ERROR(constants_.ReadBytes(*product.b, &given_));
    laid_.resize(product.n() * product.k());
    Lay(product);
    TRIMS_ASSIGN_OR_RETURN(known->second, constants_.Add(kFloat, {product.n(), product.k(), 1, 1},
                                                         BytesOfFloats(laid_)));
    return known->second;
  }

  // given_ into laid_; a piece of either side that caches hold at a time.
  void Lay(const Product& product) {
    const auto* given = reinterpret_cast<const float*>(given_.data());
    const uint64_t n = product.n(), k = product.k();
    const uint64_t to_row = product.transposed ? k : 1, to_column = product.transposed ? 1 : n;
    for (uint64_t rows = 0; rows < n; rows += kPieceEdge) {
      for (uint64_t columns = 0; columns < k; columns += kPieceEdge) {
        for (uint64_t row = rows; row < std::min(n, rows + kPieceEdge); ++row) {
          for (uint64_t column = columns; column < std::min(k, columns + kPieceEdge); ++column) {
            laid_[row * k + column] = product.alpha * given[row * to_row + column * to_column];
          }
        }
      }
    }
  }

  Result<std::string> Bias(const Product& product) {
    TRIMS_ASSIGN_OR_RETURN(const std::string bytes, constants_.BytesOf(*product.bias));
    std::vector<float> bias = FloatsOf(bytes);
    for (float& value : bias) value *= product.beta;
    return constants_.Add(kFloat, {product.n()}, BytesOfFloats(bias));
  }

  // Each once.
  std::string Constant(const std::vector<int64_t>& values) {
    const auto [known, is_new] = integers_.try_emplace(values);
    if (is_new) known->second = constants_.AddInt64s(values);
    return known->second;
  }

  // Adds a node of one output, whose name it gives; `output`: which, or empty for a new one.
  std::string Put(OnnxNode node, ProtobufWriter& graph, std::string output = {}) {
    if (output.empty()) output = constants_.NewName();
    node.name = output;
    node.outputs = {output};
    graph.Bytes(kGraphNode, node.ToMessage());
    return output;
  }

  // Without the last dimension.
  std::string ShapeOfRows(const std::string& a, ProtobufWriter& graph) {
    if (constants_.opset() >= kLeastOpsetOfShapeParts) {
      return Put({.op = "Shape", .inputs = {a}, .ints = {{"end", -1}}}, graph);
    }
    const std::string shape = Put({.op = "Shape", .inputs = {a}}, graph);
    return Put({.op = "Slice", .inputs = {shape, Constant({0}), Constant({-1})}}, graph);
  }

  // The rows of a are the points of an image with K channels. Without rows it is no image, which no
  // convolution takes, but none: [0, 1, 1, K]. Rows of another width than K must not pass for other rows: what
  // comes of any rank is reshaped to its own rows again, which they fail, and others are one image or none.
  Image ImageOf(const std::string& a, const Product& product, ProtobufWriter& graph) {
    const auto k = static_cast<int64_t>(product.k());
    Image image{.before = ShapeOfRows(a, graph), .any_rank = product.any_rank};
    const std::string rows = product.any_rank
                                 ? Put({.op = "ReduceProd", .inputs = {image.before}}, graph)
                                 : image.before;
    const std::string points = Put({.op = "Max", .inputs = {rows, Constant({1})}}, graph);
    const std::string images = product.any_rank
                                   ? Constant({-1})
                                   : Put({.op = "Min", .inputs = {rows, Constant({1})}}, graph);
    const std::string size = Put({.op = "Concat",
                                  .inputs = {images, Constant({1}), points, Constant({k})},
                                  .ints = {{"axis", 0}}},
                                 graph);
    const std::string laid = Put({.op = "Reshape", .inputs = {a, size}}, graph);
    image.name =
        Put({.op = "Transpose", .inputs = {laid}, .int_lists = {{"perm", {0, 3, 1, 2}}}}, graph);
    if (summed_.contains(a)) image.name = InBlocks(image.name, product.k(), graph);
    return image;
  }

  // The mean of each point alone, which is the point: ONNX Runtime adds images in blocks if both come
  // out of a node that makes blocks, and makes them where it knows the channels.
  std::string InBlocks(const std::string& image, uint64_t channels, ProtobufWriter& graph) {
    Describe(image, channels);
    return Put({.op = "AveragePool", .inputs = {image}, .int_lists = {{"kernel_shape", {1, 1}}}},
               graph);
  }

  void Describe(const std::string& image, uint64_t channels) {
    ProtobufWriter dimension, shape, tensor, type, value;
    dimension.Int(kDimensionValue, channels);
    for (const bool known : {false, true, false, false}) {
      shape.Bytes(kShapeDimension, known ? dimension.message() : std::string());
    }
    tensor.Int(kTypeElement, kFloat);
    tensor.Bytes(kTypeShape, shape.message());
    type.Bytes(kTypeTensor, tensor.message());
    value.Bytes(kValueName, image);
    value.Bytes(kValueType, type.message());
    described_.Bytes(kGraphValue, value.message());
  }

  void WriteRows(const Image& image, int64_t n, const std::string& y, ProtobufWriter& graph) {
    const std::string rows = Put(
        {.op = "Transpose", .inputs = {image.name}, .int_lists = {{"perm", {0, 2, 3, 1}}}}, graph);
    const std::string shape =
        image.any_rank
            ? Put({.op = "Concat", .inputs = {image.before, Constant({n})}, .ints = {{"axis", 0}}},
                  graph)
            : Constant({-1, n});
    OnnxNode back{.op = "Reshape", .inputs = {rows, shape}};
    if (image.any_rank) back.ints["allowzero"] = 1;
    Put(std::move(back), graph, y);
  }

  bool IsSum(const OnnxNode& node) const {
    return node.op == "Add" && node.inputs.size() == 2 && node.outputs.size() == 1 &&
           sums_.contains(node.outputs[0]);
  }

  Status WriteSum(const OnnxNode& node, ProtobufWriter& graph) {
    Image image = images_[node.inputs[0]];
    TRIMS_ASSIGN_OR_RETURN(image.name, SumOf(image.name, node.inputs[1], graph));
    const std::string& y = node.outputs[0];
    Finish(std::move(image), static_cast<int64_t>(rows_.at(y).width), y, graph);
    return Status();
  }

  // INVALID_ARGUMENT: a name occurs twice in the graph.
  Result<std::string> SumOf(const std::string& image, const std::string& rows,
                            ProtobufWriter& graph) {
    const auto added = images_.find(rows);
    if (image.empty() || added == images_.end()) {
      return Status(StatusCode::kInvalidArgument, "two nodes of the graph have one output");
    }
    return Put({.op = "Add", .inputs = {image, added->second.name}}, graph);
  }

  // `image` is that of the rows `y`, which are written where somebody takes them.
  void Finish(Image image, int64_t n, const std::string& y, ProtobufWriter& graph) {
    if (rows_wanted_.contains(y) || nested_graphs_) WriteRows(image, n, y, graph);
    images_.insert_or_assign(y, std::move(image));
  }

  // A product of a product goes on with its image; two of the same rows share one.
  Status WriteConvolution(const OnnxNode& node, const Product& product, ProtobufWriter& graph) {
    const std::string& a = node.inputs[0];
    if (!images_.contains(a)) images_.emplace(a, ImageOf(a, product, graph));
    Image image = images_.at(a);
    OnnxNode conv{.op = "Conv", .inputs = {image.name}, .int_lists = {{"kernel_shape", {1, 1}}}};
    TRIMS_ASSIGN_OR_RETURN(conv.inputs.emplace_back(), Weights(product));
    if (product.bias != nullptr) {
      TRIMS_ASSIGN_OR_RETURN(conv.inputs.emplace_back(), Bias(product));
    }
    image.name = Put(std::move(conv), graph);
    if (!product.residual.empty()) {
      TRIMS_ASSIGN_OR_RETURN(image.name, SumOf(image.name, product.residual, graph));
    }
    if (!product.activation.empty()) {
      image.name = Put({.op = product.activation, .inputs = {image.name}}, graph);
    }
    Finish(std::move(image), static_cast<int64_t>(product.n()), node.outputs[0], graph);
    replaced_.emplace(product.b->message.begin, product.b->entry.name);
    ++changed_;
    return Status();
  }

  bool IsUnsignedProduct(const OnnxNode& node) const {
    if (!options_.vnni || !Is(node, kMicrosoft, kQuantisedProduct) || node.inputs.size() < 3)
      return false;
    if (!IsMatrix(constants_.Find(node.inputs[1]), kUint8)) return false;
    if (node.inputs.size() < 4 || node.inputs[3].empty()) return true;
    const OnnxTensor* zero = constants_.Find(node.inputs[3]);
    return zero != nullptr && zero->onnx_type == kUint8;
  }

  // The same whole numbers: 128 less, and so is their zero.
  Result<std::string> Signed(const OnnxTensor& tensor) {
    TRIMS_ASSIGN_OR_RETURN(std::string bytes, constants_.BytesOf(tensor));
    for (char& byte : bytes) byte = static_cast<char>(static_cast<unsigned char>(byte) ^ 0x80);
    return constants_.Add(kInt8, tensor.entry.shape, bytes);
  }

  Status WriteSigned(const OnnxNode& node, ProtobufWriter& graph) {
    OnnxNode copy = node;
    TRIMS_ASSIGN_OR_RETURN(copy.inputs[1], Signed(*constants_.Find(node.inputs[1])));
    if (node.inputs.size() > 3 && !node.inputs[3].empty()) {
      TRIMS_ASSIGN_OR_RETURN(copy.inputs[3], Signed(*constants_.Find(node.inputs[3])));
    } else {
      if (copy.inputs.size() < 4) copy.inputs.resize(4);
      TRIMS_ASSIGN_OR_RETURN(copy.inputs[3], constants_.Add(kInt8, {}, std::string(1, '\x80')));
    }
    graph.Bytes(kGraphNode, copy.ToMessage());
    ++changed_;
    return Status();
  }

  ProtobufWindow window_;
  const SteadyOptions options_;
  GraphConstants constants_;
  std::map<std::tuple<std::string, bool, float>, std::string> weights_;
  std::map<std::vector<int64_t>, std::string> integers_;
  std::string given_;                                   // a weight as it is,
  std::vector<float> laid_;                             // and as a convolution takes it
  std::unordered_map<std::string, Image> images_;       // by the name of the rows
  std::unordered_map<uint64_t, std::string> replaced_;  // weights, by where their messages begin
  std::unordered_map<std::string, Rows> rows_;          // by their name
  std::unordered_set<std::string> residuals_;           // products with one, by their output
  std::unordered_set<std::string> sums_;                // of images, by the name of their rows
  std::unordered_set<std::string> summed_;              // rows whose images are
  std::unordered_set<std::string> rows_wanted_;
  ProtobufWriter described_;    // fields of the graph: shapes of images
  bool nested_graphs_ = false;  // which may take any of them
  size_t changed_ = 0;
  bool refused_ = false;
};

}  // namespace

SteadyOptions SteadyOptions::Of(std::string_view features, uint64_t min_bytes) {
  const auto has = [&](std::string_view name) {
    return features.find(name) != std::string_view::npos;
  };
  return {.min_bytes = min_bytes,
          .blocked_convolutions = has("x86-64") && has(",avx2") && has(",fma"),
          .vnni = has(",avx512vnni")};
}

bool MayBeSteadier(std::string_view model) {
  for (const std::string_view op : {"Gemm", "MatMul", kQuantisedLstm}) {
    if (model.find(op) != std::string_view::npos) return true;
  }
  return false;
}

Result<std::optional<std::string>> MakeSteady(const RandomAccess& graph,
                                              const SteadyOptions& options,
                                              ExternalWeights weights) {
  TRIMS_ASSIGN_OR_RETURN(GraphConstants constants, GraphConstants::Of(graph, std::move(weights)));
  return SteadyRewriter(graph, options, std::move(constants)).Run();
}

}  // namespace trims
