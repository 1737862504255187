// WalkOnnx: where an ONNX file has its weights, before any of them is looked at.
//
// Thread-safety: a function of the window's file.
#ifndef TRIMS_FORMAT_ONNX_WALK_H_
#define TRIMS_FORMAT_ONNX_WALK_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trims/status.h"

#include "format/protobuf_reader.h"

namespace trims {

// The depth of a graph: how many graphs it is nested in.
inline constexpr int kMainGraph = 0;
inline constexpr int kMaxGraphDepth =
    33;  // what protocol buffers' own limit of 100 messages allows

// Something that gives a name of the main graph its value.
struct OnnxCandidate {
  FileRange message;                // the TensorProto; empty where there is none
  std::optional<std::string> name;  // of a Constant's output; nothing: the TensorProto's own
  const char* kind = nullptr;       // why tensors can't have it; nullptr: they may
};

struct OnnxOutline {
  int64_t ir_version = 0;
  std::string producer;
  std::string opset;
  // In the order in which ONNX Runtime takes them: initializers, Constant nodes, sparse
  // initializers. The last of a name is the one that counts.
  std::vector<OnnxCandidate> initializers;
  std::vector<OnnxCandidate> constants;
  std::vector<OnnxCandidate> sparse;
  size_t constants_with_values = 0;  // of `constants`, which are attributes, too
  size_t nested_tensors = 0;  // initializers and values of nested graphs, attributes and functions
  std::set<std::string> nested_files;  // external data of nested graphs, attributes and functions
};

// INVALID_ARGUMENT: no protocol buffer, no graph in it, nested beyond reason; DATA_LOSS: truncated.
Result<OnnxOutline> WalkOnnx(ProtobufWindow& window);

}  // namespace trims

#endif  // TRIMS_FORMAT_ONNX_WALK_H_
