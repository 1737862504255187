#include "format/onnx_walk.h"

#include <utility>

#include "base/macros.h"
#include "base/utf8.h"
#include "format/onnx_fields.h"
#include "format/onnx_tensor.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this layer

constexpr std::string_view kConstant = "Constant";

class Walk {
 public:
  explicit Walk(ProtobufWindow& window) : window_(window) {}

  Result<OnnxOutline> Run() {
    TRIMS_RETURN_IF_ERROR(
        ForEachField(window_, {0, window_.file_size()},
                     [this](const ProtobufField& field) { return ModelField(field); }));
    if (has_graph_) return std::move(outline_);
    return Status(StatusCode::kInvalidArgument, "onnx: no graph in it");
  }

 private:
  Status ModelField(const ProtobufField& field) {
    if (field.number == kModelIrVersion) outline_.ir_version = static_cast<int64_t>(field.value);
    if (!field.is_bytes()) return Status();
    switch (field.number) {
      case kModelProducerName:
        return Text(field, &outline_.producer);
      case kModelOpsetImport:
        return Opset(field.payload);
      case kModelGraph:  // a second one is merged into the first
        has_graph_ = true;
        return Graph(field.payload, kMainGraph);
      case kModelFunctions:
        return Function(field.payload);
      default:
        return Status();
    }
  }

  // A function's names are its own, so its constants are none of the main graph's.
  Status Function(FileRange message) {
    return ForEachField(window_, message, [this](const ProtobufField& field) {
      const bool node = field.number == kFunctionNode && field.is_bytes();
      return node ? Node(field.payload, kMainGraph + 1) : Status();
    });
  }

  Status Opset(FileRange message) {
    bool default_domain = true;
    uint64_t version = 0;
    TRIMS_RETURN_IF_ERROR(ForEachField(window_, message, [&](const ProtobufField& field) {
      if (field.number == kOperatorSetDomain) default_domain = field.payload.length() == 0;
      if (field.number == kOperatorSetVersion) version = field.value;
      return Status();
    }));
    if (default_domain) outline_.opset = std::to_string(version);
    return Status();
  }

  Status Graph(FileRange message, int depth) {
    if (depth > kMaxGraphDepth) {
      return Status(StatusCode::kInvalidArgument,
                    "onnx: graphs nested deeper than " + std::to_string(kMaxGraphDepth));
    }
    return ForEachField(window_, message, [&](const ProtobufField& field) -> Status {
      if (!field.is_bytes()) return Status();
      if (field.number == kGraphNode) return Node(field.payload, depth);
      if (field.number == kGraphSparseInitializer) return Sparse(field.payload, depth);
      if (field.number != kGraphInitializer) return Status();
      if (depth != kMainGraph) return NestedTensor(field.payload);
      outline_.initializers.push_back({.message = field.payload});
      return Status();
    });
  }

  // Its name is that of its values.
  Status Sparse(FileRange message, int depth) {
    if (depth != kMainGraph) return Status();
    return ForEachField(window_, message, [&](const ProtobufField& field) -> Status {
      if (field.number == kSparseTensorValues && field.is_bytes()) {
        outline_.sparse.push_back({.message = field.payload, .kind = "sparse"});
      }
      return Status();
    });
  }

  // `depth`: that of the graph it is a node of.
  Status Node(FileRange message, int depth) {
    std::string op;
    std::optional<std::string> output;
    TRIMS_RETURN_IF_ERROR(ForEachField(window_, message, [&](const ProtobufField& field) -> Status {
      if (field.number == kNodeAttribute && field.is_bytes())
        return Attribute(field.payload, depth);
      // Only the main graph's constants are of interest, and only by their first output.
      if (depth != kMainGraph || !field.is_bytes()) return Status();
      if (field.number == kNodeOpType) return Text(field, &op);
      if (field.number != kNodeOutput || output) return Status();
      return Text(field, &output.emplace());
    }));
    return op == kConstant && output ? Constant(message, *std::move(output)) : Status();
  }

  // Empty where it is longer than any that is of use.
  Status Text(const ProtobufField& field, std::string* text) {
    text->clear();
    if (field.payload.length() > kMaxTensorNameBytes) return Status();
    TRIMS_ASSIGN_OR_RETURN(*text, window_.StringAt(field.payload, kMaxTensorNameBytes));
    return Status();
  }

  // Some exporters write weights as nodes without input: they count as initializers of their
  // output's name. ONNX Runtime takes the first attribute, whatever its name.
  Status Constant(FileRange node, std::string output) {
    OnnxCandidate constant{.name = std::move(output), .kind = "given as an attribute"};
    bool first = true;
    TRIMS_RETURN_IF_ERROR(ForEachField(window_, node, [&](const ProtobufField& field) -> Status {
      if (field.number != kNodeAttribute || !field.is_bytes()) return Status();
      return std::exchange(first, false) ? ConstantValue(field.payload, &constant) : Status();
    }));
    outline_.constants.push_back(std::move(constant));
    return Status();
  }

  Status ConstantValue(FileRange attribute, OnnxCandidate* constant) {
    return ForEachField(window_, attribute, [&](const ProtobufField& field) -> Status {
      if (field.number != kAttributeTensor || !field.is_bytes()) return Status();
      if (constant->kind != nullptr) ++outline_.constants_with_values;
      constant->message = field.payload;
      constant->kind = nullptr;
      return Status();
    });
  }

  Status Attribute(FileRange message, int depth) {
    return ForEachField(window_, message, [&](const ProtobufField& field) {
      if (!field.is_bytes()) return Status();
      const bool tensor = field.number == kAttributeTensor || field.number == kAttributeTensors;
      const bool graph = field.number == kAttributeGraph || field.number == kAttributeGraphs;
      if (tensor) return NestedTensor(field.payload);
      return graph ? Graph(field.payload, depth + 1) : Status();
    });
  }

  // What else is odd about it is for ONNX Runtime to say: TrIMS takes nothing from it.
  Status NestedTensor(FileRange message) {
    TRIMS_ASSIGN_OR_RETURN(OnnxTensorRead read, ReadOnnxTensor(window_, message));
    ++outline_.nested_tensors;
    if (read.tensor.storage == OnnxTensor::Storage::kExternal) {
      outline_.nested_files.insert(std::move(read.tensor.location));
    }
    return Status();
  }

  ProtobufWindow& window_;
  bool has_graph_ = false;
  OnnxOutline outline_;
};

}  // namespace

Result<OnnxOutline> WalkOnnx(ProtobufWindow& window) {
  TRIMS_ASSIGN_OR_RETURN(OnnxOutline outline, Walk(window).Run());
  if (!IsUtf8(outline.producer)) outline.producer.clear();
  return outline;
}

}  // namespace trims
