// OnnxNode: a node of a graph as its rewriters read and write it.
//
//   TRIMS_ASSIGN_OR_RETURN(const OnnxNode node, ReadOnnxNode(window, field.payload));
//   if (node.op == "Gemm" && node.Int("transA", 0) == 0) …
//   graph.Bytes(kGraphNode, OnnxNode{.op = "Relu", .inputs = {"c"}, .outputs = {"y"}}.ToMessage());
//
// Source: onnx.proto of the ONNX project. Thread-safety: a value.
#ifndef TRIMS_PREPARE_ONNX_NODE_H_
#define TRIMS_PREPARE_ONNX_NODE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trims/status.h"

#include "format/protobuf_reader.h"

namespace trims {

struct OnnxNode {
  std::string op;
  std::string domain;  // empty: ONNX's own
  std::string name;
  std::vector<std::string> inputs;  // "" is one that is left out
  std::vector<std::string> outputs;
  // By name, those of one value each.
  std::map<std::string, int64_t> ints;
  std::map<std::string, float> floats;
  std::map<std::string, std::string> strings;
  std::map<std::string, std::vector<int64_t>> int_lists;  // written and not read
  bool holds_graphs = false;                              // read and not written

  int64_t Int(const std::string& attribute, int64_t otherwise) const;
  float Float(const std::string& attribute, float otherwise) const;
  std::string String(const std::string& attribute) const;  // "" where there is none

  std::string ToMessage() const;
};

// INVALID_ARGUMENT, DATA_LOSS: as ProtobufReader::Next(), or a text of an absurd length.
Result<OnnxNode> ReadOnnxNode(ProtobufWindow& window, FileRange message);

}  // namespace trims

#endif  // TRIMS_PREPARE_ONNX_NODE_H_
