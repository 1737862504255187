// The nodes of an ONNX graph in turn, and the model again with another graph.
//
//   TRIMS_RETURN_IF_ERROR(ForEachNode(window, [&](const OnnxNode& node) { count += Is(node, "", "Gemm"); }, &outputs));
//   return CopyModel(window, [&](FileRange graph) { return Changed(graph); });
//
// Thread-safety: one thread a window.
#ifndef TRIMS_PREPARE_GRAPH_NODES_H_
#define TRIMS_PREPARE_GRAPH_NODES_H_

#include <string>
#include <unordered_set>
#include <utility>

#include "trims/status.h"

#include "base/macros.h"
#include "format/onnx_fields.h"
#include "prepare/onnx_node.h"
#include "prepare/protobuf_copy.h"

namespace trims {

inline constexpr char kMicrosoft[] = "com.microsoft";
inline constexpr char kQuantisedProduct[] = "DynamicQuantizeMatMul";
inline constexpr char kQuantisedLstm[] = "DynamicQuantizeLSTM";
// Its answers depend on packing (ort_variant.cc).
inline constexpr char kNeedsPacking[] = "MatMulNBits";

// `domain`: "" is ONNX's own.
inline bool Is(const OnnxNode& node, const char* domain, const char* op) {
  return node.op == op && (node.domain == domain || (*domain == '\0' && node.domain == "ai.onnx"));
}

// `outputs` gets the names of the graph's.
template <typename Use>
Status ForEachNode(ProtobufWindow& window, const Use& use,
                   std::unordered_set<std::string>* outputs) {
  const auto output = [&](const ProtobufField& field) -> Status {
    if (field.number != onnx_fields::kValueName || !field.is_bytes()) return Status();
    TRIMS_ASSIGN_OR_RETURN(std::string name, window.StringAt(field.payload, kMaxGraphBytes));
    outputs->insert(std::move(name));
    return Status();
  };
  const auto in_graph = [&](const ProtobufField& field) -> Status {
    if (!field.is_bytes()) return Status();
    if (field.number == onnx_fields::kGraphOutput)
      return ForEachField(window, field.payload, output);
    if (field.number != onnx_fields::kGraphNode) return Status();
    TRIMS_ASSIGN_OR_RETURN(const OnnxNode node, ReadOnnxNode(window, field.payload));
    use(node);
    return Status();
  };
  return ForEachField(window, {0, window.file_size()}, [&](const ProtobufField& field) {
    const bool is_graph = field.number == onnx_fields::kModelGraph && field.is_bytes();
    return is_graph ? ForEachField(window, field.payload, in_graph) : Status();
  });
}

// The model with `graph` of its graph.
template <typename Graph>
Result<std::string> CopyModel(ProtobufWindow& window, const Graph& graph) {
  return CopyMessage(window, {0, window.file_size()},
                     [&](const ProtobufField& field, ProtobufWriter& out) -> Result<bool> {
                       if (field.number != onnx_fields::kModelGraph || !field.is_bytes())
                         return false;
                       TRIMS_ASSIGN_OR_RETURN(const std::string changed, graph(field.payload));
                       out.Bytes(onnx_fields::kModelGraph, changed);
                       return true;
                     });
}

}  // namespace trims

#endif  // TRIMS_PREPARE_GRAPH_NODES_H_
