#include "format/onnx.h"

#include <unordered_set>
#include <utility>

#include "base/macros.h"
#include "format/onnx_fields.h"
#include "format/onnx_tensor.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this layer

constexpr int kMainGraph = 0;  // the depth of a graph: how many graphs it is nested in
constexpr int kMaxGraphDepth = 32;
constexpr size_t kMaxTextBytes = 4096;
constexpr std::string_view kConstant = "Constant";

class Walk {
 public:
  explicit Walk(const RandomAccess& file) : window_(file) {}

  Result<OnnxModel> Run() {
    bool has_graph = false;
    TRIMS_RETURN_IF_ERROR(
        ForEachField({0, window_.file_size()}, [&](const ProtobufField& field) -> Status {
          if (field.number == kModelGraph && std::exchange(has_graph, true)) {
            return Status(StatusCode::kInvalidArgument, "onnx: two graphs");
          }
          return ModelField(field);
        }));
    if (has_graph) return std::move(model_);
    return Status(StatusCode::kInvalidArgument, "onnx: no graph in it");
  }

 private:
  template <typename Use>
  Status ForEachField(FileRange message, const Use& use) {
    ProtobufReader reader(window_, message);
    for (;;) {
      TRIMS_ASSIGN_OR_RETURN(const std::optional<ProtobufField> field, reader.Next());
      if (!field) return Status();
      TRIMS_RETURN_IF_ERROR(use(*field));
    }
  }

  Status ModelField(const ProtobufField& field) {
    if (field.number == kModelIrVersion) model_.ir_version = static_cast<int64_t>(field.value);
    if (!field.is_bytes()) return Status();
    switch (field.number) {
      case kModelProducerName: {
        TRIMS_ASSIGN_OR_RETURN(model_.producer, window_.StringAt(field.payload, kMaxTextBytes));
        return Status();
      }
      case kModelOpsetImport:
        return Opset(field.payload);
      case kModelGraph:
        return Graph(field.payload, kMainGraph);
      case kModelFunctions:
        return Function(field.payload);
      default:
        return Status();
    }
  }

  // A function's names are its own, so its constants are none of the main graph's.
  Status Function(FileRange message) {
    return ForEachField(message, [this](const ProtobufField& field) {
      const bool node = field.number == kFunctionNode && field.is_bytes();
      return node ? Node(field.payload, kMainGraph + 1) : Status();
    });
  }

  Status Opset(FileRange message) {
    bool default_domain = true;
    uint64_t version = 0;
    TRIMS_RETURN_IF_ERROR(ForEachField(message, [&](const ProtobufField& field) {
      if (field.number == kOperatorSetDomain) default_domain = field.payload.length() == 0;
      if (field.number == kOperatorSetVersion) version = field.value;
      return Status();
    }));
    if (default_domain) model_.opset = std::to_string(version);
    return Status();
  }

  Status Graph(FileRange message, int depth) {
    if (depth > kMaxGraphDepth) {
      return Status(StatusCode::kInvalidArgument,
                    "onnx: graphs nested deeper than " + std::to_string(kMaxGraphDepth));
    }
    return ForEachField(message, [&](const ProtobufField& field) -> Status {
      if (!field.is_bytes()) return Status();
      if (field.number == kGraphNode) return Node(field.payload, depth);
      if (field.number != kGraphInitializer) return Status();
      return depth == kMainGraph ? Initializer(field.payload) : NestedTensor(field.payload);
    });
  }

  // `depth`: that of the graph it is a node of.
  Status Node(FileRange message, int depth) {
    std::string op;
    std::string output;
    TRIMS_RETURN_IF_ERROR(ForEachField(message, [&](const ProtobufField& field) -> Status {
      if (field.number == kNodeAttribute && field.is_bytes())
        return Attribute(field.payload, depth);
      // Only the main graph's constants are of interest, and only by their first output.
      if (depth != kMainGraph || !field.is_bytes()) return Status();
      if (field.number == kNodeOpType) return Text(field, &op);
      return field.number == kNodeOutput && output.empty() ? Text(field, &output) : Status();
    }));
    return op == kConstant ? Constant(message, std::move(output)) : Status();
  }

  Status Text(const ProtobufField& field, std::string* text) {
    TRIMS_ASSIGN_OR_RETURN(*text, window_.StringAt(field.payload, kMaxTextBytes));
    return Status();
  }

  // Some exporters write weights as nodes without input: they count as initializers of their
  // output's name.
  Status Constant(FileRange node, std::string output) {
    std::optional<FileRange> value;
    TRIMS_RETURN_IF_ERROR(ForEachField(node, [&](const ProtobufField& field) -> Status {
      if (field.number != kNodeAttribute || !field.is_bytes()) return Status();
      return ConstantValue(field.payload, &value);
    }));
    return value ? Initializer(*value, std::move(output)) : Status();
  }

  Status ConstantValue(FileRange attribute, std::optional<FileRange>* value) {
    std::string name;
    FileRange tensor;
    TRIMS_RETURN_IF_ERROR(ForEachField(attribute, [&](const ProtobufField& field) -> Status {
      if (!field.is_bytes()) return Status();
      if (field.number == kAttributeTensor) tensor = field.payload;
      return field.number == kAttributeName ? Text(field, &name) : Status();
    }));
    if (name == "value" && tensor.length() > 0) *value = tensor;
    return Status();
  }

  Status Attribute(FileRange message, int depth) {
    return ForEachField(message, [&](const ProtobufField& field) {
      if (!field.is_bytes()) return Status();
      const bool tensor = field.number == kAttributeTensor || field.number == kAttributeTensors;
      const bool graph = field.number == kAttributeGraph || field.number == kAttributeGraphs;
      if (tensor) return NestedTensor(field.payload);
      return graph ? Graph(field.payload, depth + 1) : Status();
    });
  }

  Status NestedTensor(FileRange message) {
    TRIMS_ASSIGN_OR_RETURN(OnnxTensor tensor, ReadOnnxTensor(window_, message));
    if (tensor.storage != OnnxTensor::Storage::kExternal) return Status();
    model_.nested_external = true;
    model_.external_files.insert(std::move(tensor.location));
    return Status();
  }

  // `name`: of a constant; an initializer has its own.
  Status Initializer(FileRange message, std::string name = {}) {
    TRIMS_ASSIGN_OR_RETURN(OnnxTensor tensor, ReadOnnxTensor(window_, message));
    if (!name.empty()) tensor.entry.name = std::move(name);
    TRIMS_RETURN_IF_ERROR(CheckTensorName(tensor.entry.name));
    if (!names_.insert(tensor.entry.name).second) {
      return Status(StatusCode::kInvalidArgument,
                    "onnx: the initializer '" + ShownName(tensor.entry.name) + "' comes twice");
    }
    if (model_.initializers.size() == kMaxTensors) {
      return Status(StatusCode::kInvalidArgument, "onnx: too many initializers");
    }
    if (tensor.storage == OnnxTensor::Storage::kExternal) {
      model_.external_files.insert(tensor.location);
    }
    model_.initializers.push_back(std::move(tensor));
    return Status();
  }

  ProtobufWindow window_;
  OnnxModel model_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Result<OnnxModel> ReadOnnx(const RandomAccess& file) {
  if (file.size() == 0) return Status(StatusCode::kInvalidArgument, "onnx: an empty file");
  return Walk(file).Run();
}

}  // namespace trims
