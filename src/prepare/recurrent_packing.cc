#include "prepare/recurrent_packing.h"

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

constexpr char kBlocked[] = "com.microsoft.nchwc";

class PackingChooser {
 public:
  PackingChooser(const RandomAccess& graph, uint64_t min_bytes, GraphConstants constants)
      : window_(graph), min_bytes_(min_bytes), constants_(std::move(constants)) {}

  Result<std::optional<std::string>> Run() {
    for (const OnnxTensor& tensor : constants_.all())
      by_place_.emplace(tensor.message.begin, &tensor);
    TRIMS_RETURN_IF_ERROR(FindUsers());
    if (packed_.empty() || refused_) return std::optional<std::string>();
    TRIMS_ASSIGN_OR_RETURN(std::string model, CopyModel(window_, [this](FileRange message) {
                             return Graph(message);
                           }));
    return std::optional(std::move(model));
  }

 private:
  // Of quantised LSTMs the recurrent weights are the third input. Outputs of the graph keep their names.
  Status FindUsers() {
    return ForEachNode(
        window_,
        [this](const OnnxNode& node) {
          refused_ |= node.op == kNeedsPacking;
          nested_graphs_ |= node.holds_graphs;
          if (Is(node, kMicrosoft, kQuantisedLstm) && node.inputs.size() > 2 &&
              constants_.Find(node.inputs[2]) != nullptr) {
            packed_.insert(node.inputs[2]);
          }
          for (size_t i = 0; i < node.inputs.size(); ++i) {
            if (MayPack(node, i)) exposed_.insert(node.inputs[i]);
          }
        },
        &kept_);
  }

  // Convolutions in blocks or of whole numbers never pack; of quantised products only the weights are.
  static bool MayPack(const OnnxNode& node, size_t input) {
    if (node.domain == kBlocked || Is(node, "", "ConvInteger")) return false;
    const bool quantised =
        Is(node, kMicrosoft, kQuantisedLstm) || Is(node, kMicrosoft, kQuantisedProduct);
    return !quantised || input < 3;
  }

  Result<std::string> Graph(FileRange message) {
    ProtobufWriter first;  // nodes before all others
    TRIMS_ASSIGN_OR_RETURN(
        const std::string graph,
        CopyMessage(window_, message,
                    [&](const ProtobufField& field, ProtobufWriter& out) -> Result<bool> {
                      if (field.number != kGraphInitializer || !field.is_bytes()) return false;
                      return Initializer(field.payload, first, out);
                    }));
    return first.message() + graph + constants_.added();
  }

  const OnnxTensor* Hidden(FileRange message) const {
    const auto found = by_place_.find(message.begin);
    if (found == by_place_.end() || found->second->entry.length < min_bytes_) return nullptr;
    const std::string& name = found->second->entry.name;
    if (packed_.contains(name) || kept_.contains(name)) return nullptr;
    if (!exposed_.contains(name) && !nested_graphs_) return nullptr;
    return constants_.Find(name);
  }

  // What comes out of a Reshape is the same bytes, but no constant to ONNX Runtime.
  Result<bool> Initializer(FileRange message, ProtobufWriter& first, ProtobufWriter& out) {
    const OnnxTensor* tensor = Hidden(message);
    if (tensor == nullptr) return false;
    const std::string name = constants_.NewName();
    TRIMS_ASSIGN_OR_RETURN(
        const std::string copy,
        CopyMessage(window_, message,
                    [](const ProtobufField& field, ProtobufWriter&) -> Result<bool> {
                      return field.number == kTensorName || field.number == kTensorDims;
                    }));
    const std::vector<uint64_t>& shape = tensor->entry.shape;
    ProtobufWriter head;
    head.Int(kTensorDims, 1);
    for (const uint64_t extent : shape) head.Int(kTensorDims, extent);
    head.Bytes(kTensorName, name);
    out.Bytes(kGraphInitializer, head.message() + copy);
    const OnnxNode alias{
        .op = "Reshape",
        .name = name + ".alias",
        .inputs = {name, constants_.AddInt64s({shape.begin(), shape.end()})},
        .outputs = {tensor->entry.name},
    };
    first.Bytes(kGraphNode, alias.ToMessage());
    return true;
  }

  ProtobufWindow window_;
  const uint64_t min_bytes_;
  GraphConstants constants_;
  std::unordered_map<uint64_t, const OnnxTensor*> by_place_;  // where its message begins
  std::unordered_set<std::string> packed_;
  std::unordered_set<std::string> exposed_;  // to nodes that may pack
  std::unordered_set<std::string> kept_;
  bool nested_graphs_ = false;  // which may pack any of them
  bool refused_ = false;
};

}  // namespace

Result<std::optional<std::string>> PackOnlyRecurrent(const RandomAccess& graph,
                                                     uint64_t min_bytes) {
  TRIMS_ASSIGN_OR_RETURN(GraphConstants constants, GraphConstants::Of(graph));
  return PackingChooser(graph, min_bytes, std::move(constants)).Run();
}

}  // namespace trims
