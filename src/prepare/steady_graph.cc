#include "prepare/steady_graph.h"

#include <cstring>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "format/onnx_fields.h"
#include "prepare/graph_constants.h"
#include "prepare/graph_nodes.h"
#include "prepare/onnx_node.h"
#include "prepare/protobuf_copy.h"
#include "prepare/signed_product.h"
#include "prepare/steady_product.h"
#include "prepare/steady_rows.h"

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

constexpr int kLeastOpsetOfShapeParts = 15;  // Shape with start and end

std::vector<float> FloatsOf(const std::string& bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

std::string_view BytesOfFloats(const std::vector<float>& floats) {
  return {reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float)};
}

// Where sums are rounded to 11 bits or 8, another order of additions shows in the last of them.
bool RoundsToHalf(const OnnxNode& node) {
  const int64_t to = node.Int("to", 0);
  return Is(node, "", "Cast") && (to == kFloat16 || to == kBfloat16);
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

  // rows_ knows all of them before the first is written.
  Status FindUsers() {
    return ForEachNode(
        window_, [this](const OnnxNode& node) { rows_.Add(node); }, rows_.outputs());
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
    return name != replaced_.end() && !rows_.IsWanted(name->second);
  }

  Result<bool> Node(FileRange message, ProtobufWriter& graph) {
    TRIMS_ASSIGN_OR_RETURN(const OnnxNode node, ReadOnnxNode(window_, message));
    refused_ |= node.op == kNeedsPacking || RoundsToHalf(node);
    if (const std::optional<Product> product = rows_.ProductOf(node)) {
      TRIMS_RETURN_IF_ERROR(WriteConvolution(node, *product, graph));
      return true;
    }
    if (rows_.IsSum(node)) {
      TRIMS_RETURN_IF_ERROR(WriteSum(node, graph));
      return true;
    }
    if (options_.vnni && IsUnsignedProduct(node, constants_, options_.min_bytes)) {
      TRIMS_RETURN_IF_ERROR(WriteSigned(node, graph));
      return true;
    }
    return false;
  }

  // N × K × 1 × 1, times alpha; once for all products with it.
  Result<std::string> Weights(const Product& product) {
    const auto [known, is_new] =
        weights_.try_emplace(std::tuple(product.b->entry.name, product.transposed, product.alpha));
    if (!is_new) return known->second;
    TRIMS_RETURN_IF_ERROR(constants_.ReadBytes(*product.b, &given_));
    LayForConvolution(product, given_, &laid_);
    TRIMS_ASSIGN_OR_RETURN(known->second, constants_.Add(kFloat, {product.n(), product.k(), 1, 1},
                                                         BytesOfFloats(laid_)));
    return known->second;
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
    node.name = constants_.NewName();  // another node may be called as `output` is
    if (output.empty()) output = node.name;
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
    if (rows_.IsSummed(a)) image.name = InBlocks(image.name, product.k(), graph);
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

  Status WriteSum(const OnnxNode& node, ProtobufWriter& graph) {
    Image image = images_[node.inputs[0]];
    TRIMS_ASSIGN_OR_RETURN(image.name, SumOf(image.name, node.inputs[1], graph));
    const std::string& y = node.outputs[0];
    Finish(std::move(image), static_cast<int64_t>(rows_.WidthOf(y)), y, graph);
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
    if (rows_.IsWanted(y)) WriteRows(image, n, y, graph);
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

  Status WriteSigned(const OnnxNode& node, ProtobufWriter& graph) {
    TRIMS_ASSIGN_OR_RETURN(const OnnxNode with_sign, SignedProduct(node, &constants_));
    graph.Bytes(kGraphNode, with_sign.ToMessage());
    ++changed_;
    return Status();
  }

  ProtobufWindow window_;
  const SteadyOptions options_;
  GraphConstants constants_;
  SteadyRows rows_{constants_, options_};
  std::map<std::tuple<std::string, bool, float>, std::string> weights_;
  std::map<std::vector<int64_t>, std::string> integers_;
  std::string given_;                                   // a weight as it is,
  std::vector<float> laid_;                             // and as a convolution takes it
  std::unordered_map<std::string, Image> images_;       // by the name of the rows
  std::unordered_map<uint64_t, std::string> replaced_;  // weights, by where their messages begin
  ProtobufWriter described_;                            // fields of the graph: shapes of images
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
