#include "prepare/ort_facts.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/model_limits.h"
#include "format/onnx_fields.h"
#include "format/protobuf_reader.h"
#include "prepare/protobuf_writer.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this format

// Field numbers of onnx.proto that only this file reads or writes.
enum ValueType : uint32_t { kTypeTensor = 1 };
enum TensorType : uint32_t { kTensorElement = 1, kTensorShape = 2 };
enum Shape : uint32_t { kShapeDim = 1 };
enum Dimension : uint32_t { kDimValue = 1, kDimParam = 2, kDimDenotation = 3 };

constexpr size_t kMaxDimensions = 4096;
constexpr size_t kMaxFactBytes = 64 * 1024;
constexpr uint64_t kProbeIrVersion = 8;
constexpr uint64_t kProbeOpset = 17;

using DimensionName = std::pair<std::string, std::string>;  // its parameter and its denotation

class FactReader {
 public:
  explicit FactReader(const RandomAccess& file) : window_(file) {}

  Status Model() {
    return ForEach({0, window_.file_size()}, [this](const ProtobufField& field) {
      return field.number == kModelGraph ? Graph(field.payload) : Status();
    });
  }

  const std::string& graph_name() const { return graph_name_; }
  const std::set<DimensionName>& dimensions() const { return dimensions_; }

 private:
  // `use` gets the fields that hold bytes.
  template <typename Use>
  Status ForEach(FileRange message, const Use& use) {
    return ForEachField(window_, message, [&use](const ProtobufField& field) {
      return field.is_bytes() ? use(field) : Status();
    });
  }

  // A session from the original model answers for what is too long to be carried along.
  Result<std::string> Text(FileRange range) {
    if (range.length() <= kMaxFactBytes) return window_.StringAt(range, kMaxFactBytes);
    return Status(StatusCode::kUnimplemented,
                  "a name in its graph has " + std::to_string(range.length()) +
                      " bytes: expected at most " + std::to_string(kMaxFactBytes));
  }

  // Into the last of these messages, one within the other.
  template <typename Use>
  Status Descend(FileRange message, uint32_t number, const Use& use) {
    return ForEach(message, [&](const ProtobufField& field) {
      return field.number == number ? use(field.payload) : Status();
    });
  }

  Status Graph(FileRange message) {
    return ForEach(message, [this](const ProtobufField& field) -> Status {
      if (field.number == kGraphInput) return Input(field.payload);
      if (field.number != kGraphName) return Status();
      TRIMS_ASSIGN_OR_RETURN(graph_name_, Text(field.payload));
      return Status();
    });
  }

  Status Input(FileRange message) {
    return Descend(message, kValueType, [this](FileRange type) {
      return Descend(type, kTypeTensor, [this](FileRange tensor) {
        return Descend(tensor, kTensorShape, [this](FileRange shape) {
          return Descend(shape, kShapeDim, [this](FileRange dim) { return AddDimension(dim); });
        });
      });
    });
  }

  Status AddDimension(FileRange message) {
    DimensionName name;
    TRIMS_RETURN_IF_ERROR(ForEach(message, [&](const ProtobufField& field) -> Status {
      if (field.number != kDimParam && field.number != kDimDenotation) return Status();
      std::string& text = field.number == kDimParam ? name.first : name.second;
      TRIMS_ASSIGN_OR_RETURN(text, Text(field.payload));
      return Status();
    }));
    if (name == DimensionName()) return Status();
    dimensions_.insert(std::move(name));
    if (dimensions_.size() <= kMaxDimensions) return Status();
    return Status(
        StatusCode::kUnimplemented,
        "its inputs have more than " + std::to_string(kMaxDimensions) + " named dimensions");
  }

  ProtobufWindow window_;
  std::string graph_name_;
  std::set<DimensionName> dimensions_;
};

std::string Value(const char* name, const std::vector<std::string>& dims) {
  ProtobufWriter shape, tensor, type, value;
  for (const std::string& dim : dims) shape.Bytes(kShapeDim, dim);
  tensor.Int(kTensorElement, onnx_fields::kFloat);
  tensor.Bytes(kTensorShape, shape.message());
  type.Bytes(kTypeTensor, tensor.message());
  value.Bytes(kValueName, name);
  value.Bytes(kValueType, type.message());
  return value.message();
}

std::string Sized(const char* name, const std::vector<uint64_t>& sizes) {
  std::vector<std::string> dims;
  for (const uint64_t size : sizes) {
    ProtobufWriter dim;
    dim.Int(kDimValue, size);
    dims.push_back(dim.message());
  }
  return Value(name, dims);
}

std::string Named(const char* name, const std::set<DimensionName>& dimensions) {
  std::vector<std::string> dims;
  for (const auto& [parameter, denotation] : dimensions) {
    ProtobufWriter dim;
    if (!parameter.empty()) dim.Bytes(kDimParam, parameter);
    if (!denotation.empty()) dim.Bytes(kDimDenotation, denotation);
    dims.push_back(dim.message());
  }
  return Value(name, dims);
}

std::string Zeros(const char* name, const std::vector<uint64_t>& dims) {
  ProtobufWriter tensor;
  uint64_t bytes = sizeof(float);
  for (const uint64_t dim : dims) {
    tensor.Int(onnx_fields::kTensorDims, dim);
    bytes *= dim;
  }
  tensor.Int(onnx_fields::kTensorDataType, onnx_fields::kFloat);
  tensor.Bytes(onnx_fields::kTensorName, name);
  tensor.Bytes(onnx_fields::kTensorRawData, std::string(bytes, '\0'));
  return tensor.message();
}

std::string NodeOf(const char* op, const std::vector<const char*>& inputs, const char* output) {
  ProtobufWriter node;
  for (const char* input : inputs) node.Bytes(kNodeInput, input);
  node.Bytes(onnx_fields::kNodeOutput, output);
  node.Bytes(onnx_fields::kNodeOpType, op);
  return node.message();
}

// Beside the dimensions: what each level of optimisation changes, namely an Identity, a Gemm before
// a Relu, and a convolution with as many channels as a vector register has room for.
std::string ProbeGraph(const std::set<DimensionName>& dimensions) {
  ProtobufWriter graph;
  for (const std::string& node : {NodeOf("Identity", {"x"}, "y"), NodeOf("Identity", {"g"}, "h"),
                                  NodeOf("Gemm", {"h", "w", "b"}, "s"), NodeOf("Relu", {"s"}, "r"),
                                  NodeOf("Conv", {"i", "k"}, "c")}) {
    graph.Bytes(onnx_fields::kGraphNode, node);
  }
  graph.Bytes(kGraphName, "trims.probe");
  graph.Bytes(onnx_fields::kGraphInitializer, Zeros("w", {1, 1}));
  graph.Bytes(onnx_fields::kGraphInitializer, Zeros("b", {1}));
  graph.Bytes(onnx_fields::kGraphInitializer, Zeros("k", {16, 1, 1, 1}));
  graph.Bytes(kGraphInput, Named("x", dimensions));
  graph.Bytes(kGraphInput, Sized("g", {1, 1}));
  graph.Bytes(kGraphInput, Sized("i", {1, 1, 1, 1}));
  graph.Bytes(kGraphOutput, Named("y", dimensions));
  graph.Bytes(kGraphOutput, Sized("r", {1, 1}));
  graph.Bytes(kGraphOutput, Sized("c", {1, 16, 1, 1}));
  return graph.message();
}

std::string Probe(const std::set<DimensionName>& dimensions) {
  ProtobufWriter opset, model;
  opset.Int(onnx_fields::kOperatorSetVersion, kProbeOpset);
  model.Int(onnx_fields::kModelIrVersion, kProbeIrVersion);
  model.Bytes(kModelGraph, ProbeGraph(dimensions));
  model.Bytes(onnx_fields::kModelOpsetImport, opset.message());
  return model.message();
}

}  // namespace

Result<OrtFacts> ReadOrtFacts(const RandomAccess& file) {
  FactReader reader(file);
  TRIMS_RETURN_IF_ERROR(reader.Model());
  return OrtFacts{reader.graph_name(), Probe(reader.dimensions())};
}

}  // namespace trims
