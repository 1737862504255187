#include "prepare/ort_graph_rewrite.h"

#include <map>
#include <set>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/shown_name.h"
#include "format/onnx_fields.h"
#include "format/onnx_tensor.h"
#include "format/onnx_walk.h"
#include "format/protobuf_reader.h"
#include "prepare/protobuf_copy.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this format

using MovedNames =
    std::map<std::string, std::string>;  // as the nested graph has it, as the main one does

Status TooLarge() {
  return Status(StatusCode::kTooLarge, "the graph without its weights is larger than " +
                                           std::to_string(kMaxGraphBytes) + " bytes");
}

class GraphRewriter {
 public:
  GraphRewriter(const RandomAccess& graph, const RandomAccess& weights)
      : window_(graph), weights_(weights), weights_window_(weights) {}

  Result<std::string> Run() {
    if (window_.file_size() > kMaxGraphBytes) return TooLarge();
    const FileRange all{0, window_.file_size()};
    TRIMS_ASSIGN_OR_RETURN(const std::string text, window_.StringAt(all, kMaxGraphBytes));
    while (text.find(prefix_) != std::string::npos) prefix_ += '.';
    TRIMS_ASSIGN_OR_RETURN(std::string model,
                           CopyMessage(window_, all, [this](const auto& field, auto& out) {
                             return Model(field, out);
                           }));
    if (model.size() > kMaxGraphBytes) return TooLarge();
    return model;
  }

 private:
  Result<std::string> Text(FileRange range) { return window_.StringAt(range, kMaxGraphBytes); }

  Result<bool> Model(const ProtobufField& field, ProtobufWriter& out) {
    if (field.number != kModelGraph || !field.is_bytes()) return false;
    TRIMS_ASSIGN_OR_RETURN(std::string graph, Graph(field.payload, kMainGraph, {}));
    out.Bytes(kModelGraph, graph + moved_.message());
    return true;
  }

  // `names`: what of the graphs around it has moved.
  Result<std::string> Graph(FileRange message, int depth, MovedNames names) {
    if (depth > kMaxGraphDepth) {
      return Status(StatusCode::kInvalidArgument,
                    "onnx: graphs nested deeper than " + std::to_string(kMaxGraphDepth));
    }
    std::set<FileRangeKey> moving;
    if (depth > kMainGraph) TRIMS_RETURN_IF_ERROR(Rename(message, &names, &moving));
    return CopyMessage(window_, message,
                       [&](const ProtobufField& field, ProtobufWriter& out) -> Result<bool> {
                         if (!field.is_bytes()) return false;
                         if (field.number == kGraphNode) return Node(field, depth, names, out);
                         if (field.number != kGraphInitializer) return false;
                         if (moving.contains(field.payload.begin)) return true;
                         return Initializer(field.payload, out);
                       });
  }

  using FileRangeKey = uint64_t;  // where it begins

  // What this nested graph has itself is not what the graphs around it call so; of that, the
  // external initializers move.
  Status Rename(FileRange message, MovedNames* names, std::set<FileRangeKey>* moving) {
    std::set<std::string> outside;  // names that the graph shares with its caller
    TRIMS_RETURN_IF_ERROR(ForEachField(window_, message, [&](const ProtobufField& field) -> Status {
      if (!field.is_bytes()) return Status();
      if (field.number == kGraphNode) return Forget(field.payload, kNodeOutput, names);
      if (field.number == kGraphInitializer) return Forget(field.payload, kTensorName, names);
      if (field.number != kGraphInput && field.number != kGraphOutput) return Status();
      TRIMS_ASSIGN_OR_RETURN(std::string name, NameIn(field.payload, kValueName));
      if (field.number == kGraphInput) names->erase(name);
      outside.insert(std::move(name));
      return Status();
    }));
    return ForEachField(window_, message, [&](const ProtobufField& field) -> Status {
      if (field.number != kGraphInitializer || !field.is_bytes()) return Status();
      TRIMS_ASSIGN_OR_RETURN(const OnnxTensorRead read, ReadOnnxTensor(window_, field.payload));
      const OnnxTensor& tensor = read.tensor;
      if (!read.status.ok() || !IsNameable(tensor)) return Status();
      if (outside.contains(tensor.entry.name)) {
        return Status(StatusCode::kUnimplemented, "the large weight '" +
                                                      ShownName(tensor.entry.name) +
                                                      "' is an input or output of a nested graph");
      }
      moving->insert(field.payload.begin);
      return Move(field.payload, &(*names)[tensor.entry.name]);
    });
  }

  Status Forget(FileRange message, uint32_t number, MovedNames* names) {
    return ForEachField(window_, message, [&](const ProtobufField& field) -> Status {
      if (field.number != number || !field.is_bytes()) return Status();
      TRIMS_ASSIGN_OR_RETURN(const std::string name, Text(field.payload));
      names->erase(name);
      return Status();
    });
  }

  Result<std::string> NameIn(FileRange message, uint32_t number) {
    std::string name;
    TRIMS_RETURN_IF_ERROR(ForEachField(window_, message, [&](const ProtobufField& field) -> Status {
      if (field.number != number || !field.is_bytes()) return Status();
      TRIMS_ASSIGN_OR_RETURN(name, Text(field.payload));
      return Status();
    }));
    return name;
  }

  Status Move(FileRange initializer, std::string* name) {
    *name = prefix_ + std::to_string(count_++);
    TRIMS_ASSIGN_OR_RETURN(
        const std::string tensor,
        CopyMessage(window_, initializer,
                    [&](const ProtobufField& field, ProtobufWriter& out) -> Result<bool> {
                      if (field.number != kTensorName) return false;
                      out.Bytes(kTensorName, *name);
                      return true;
                    }));
    moved_.Bytes(kGraphInitializer, tensor);
    return Status();
  }

  Result<bool> Node(const ProtobufField& node, int depth, const MovedNames& names,
                    ProtobufWriter& out) {
    TRIMS_ASSIGN_OR_RETURN(
        const std::string copy,
        CopyMessage(window_, node.payload,
                    [&](const ProtobufField& field, ProtobufWriter& to) -> Result<bool> {
                      if (!field.is_bytes()) return false;
                      if (field.number == kNodeInput) return Input(field, names, to);
                      if (field.number == kNodeAttribute) return Attribute(field, depth, names, to);
                      return false;
                    }));
    out.Bytes(node.number, copy);
    return true;
  }

  Result<bool> Input(const ProtobufField& field, const MovedNames& names, ProtobufWriter& out) {
    TRIMS_ASSIGN_OR_RETURN(const std::string name, Text(field.payload));
    const auto moved = names.find(name);
    out.Bytes(field.number, moved == names.end() ? name : moved->second);
    return true;
  }

  Result<bool> Attribute(const ProtobufField& attribute, int depth, const MovedNames& names,
                         ProtobufWriter& out) {
    TRIMS_ASSIGN_OR_RETURN(
        const std::string copy,
        CopyMessage(window_, attribute.payload,
                    [&](const ProtobufField& field, ProtobufWriter& to) -> Result<bool> {
                      const bool graph =
                          field.number == kAttributeGraph || field.number == kAttributeGraphs;
                      if (!field.is_bytes() || !graph) return false;
                      TRIMS_ASSIGN_OR_RETURN(const std::string nested,
                                             Graph(field.payload, depth + 1, names));
                      to.Bytes(field.number, nested);
                      return true;
                    }));
    out.Bytes(attribute.number, copy);
    return true;
  }

  // Puts the bytes of an external one into the graph if no tensor of the index can have its type.
  Result<bool> Initializer(FileRange message, ProtobufWriter& out) {
    TRIMS_ASSIGN_OR_RETURN(const OnnxTensorRead read, ReadOnnxTensor(window_, message));
    const OnnxTensor& tensor = read.tensor;
    if (tensor.storage != OnnxTensor::Storage::kExternal || IsNameable(tensor)) return false;
    TRIMS_RETURN_IF_ERROR(read.status);
    TRIMS_ASSIGN_OR_RETURN(
        const std::string kept,
        CopyMessage(
            window_, message, [&](const ProtobufField& field, ProtobufWriter&) -> Result<bool> {
              return field.number == kTensorExternalData || field.number == kTensorDataLocation;
            }));
    TRIMS_ASSIGN_OR_RETURN(const std::string bytes,
                           WeightBytes(tensor.entry.offset, tensor.entry.length));
    ProtobufWriter raw;
    raw.Bytes(kTensorRawData, bytes);
    out.Bytes(kGraphInitializer, kept + raw.message());
    return true;
  }

  Result<std::string> WeightBytes(uint64_t offset, uint64_t length) {
    const uint64_t size = weights_.size();
    if (offset > size || length > size - offset) {
      return Status(StatusCode::kDataLoss, "the optimised model's weights end too early");
    }
    return weights_window_.StringAt({offset, offset + length}, kMaxGraphBytes);
  }

  ProtobufWindow window_;
  const RandomAccess& weights_;
  ProtobufWindow weights_window_;
  std::string prefix_ = "trims.nested.";
  size_t count_ = 0;
  ProtobufWriter moved_;  // fields of the main graph
};

}  // namespace

bool IsNameable(const OnnxTensor& tensor) {
  constexpr int32_t kLastOfWholeBytes = 20;  // TensorProto.FLOAT8E5M2FNUZ
  return tensor.storage == OnnxTensor::Storage::kExternal && DTypeSize(tensor.entry.dtype) > 0 &&
         tensor.onnx_type <= kLastOfWholeBytes;
}

Result<std::string> RewriteGraph(const RandomAccess& graph, const RandomAccess& weights) {
  return GraphRewriter(graph, weights).Run();
}

}  // namespace trims
