// GraphConstants: the values in an ONNX graph that nobody can change, and new ones beside them.
//
//   TRIMS_ASSIGN_OR_RETURN(GraphConstants constants, GraphConstants::Of(file));
//   const OnnxTensor* weight = constants.Find("fc.weight");
//   TRIMS_ASSIGN_OR_RETURN(const std::string bytes, constants.BytesOf(*weight));
//   const std::string shape = constants.AddInt64s({1, -1});  // its name
//   graph += constants.added();
//
// Borrows the file. Thread-safety: one thread.
#ifndef TRIMS_PREPARE_GRAPH_CONSTANTS_H_
#define TRIMS_PREPARE_GRAPH_CONSTANTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/onnx.h"
#include "prepare/protobuf_writer.h"

namespace trims {

class GraphConstants {
 public:
  // Errors as ReadOnnx().
  static Result<GraphConstants> Of(const RandomAccess& file);
  GraphConstants(GraphConstants&&) = default;
  GraphConstants& operator=(GraphConstants&&) = default;

  // nullptr: no initializer of the main graph, or one that a caller may override.
  const OnnxTensor* Find(const std::string& name) const;
  const std::vector<OnnxTensor>& all() const { return model_.initializers; }
  int opset() const;  // of ONNX's own operators; 0: unknown

  // Little endian, as raw data. UNIMPLEMENTED: in a file of its own, or more than 1 GiB.
  Result<std::string> BytesOf(const OnnxTensor& tensor) const;

  // A name that nothing in the graph has.
  std::string NewName() { return prefix_ + std::to_string(count_++); }
  // Each gives the new one's name.
  std::string AddInt64s(const std::vector<int64_t>& values);
  std::string Add(int32_t onnx_type, const std::vector<uint64_t>& shape, std::string_view bytes);
  // Fields of a graph.
  const std::string& added() const { return added_.message(); }

 private:
  GraphConstants(const RandomAccess& file, OnnxModel model)
      : file_(&file), model_(std::move(model)) {}
  Status ReadInputs();
  Status ChoosePrefix();

  const RandomAccess* file_;
  OnnxModel model_;
  std::unordered_map<std::string, const OnnxTensor*> by_name_;
  std::string prefix_ = "trims.steady.";
  size_t count_ = 0;
  ProtobufWriter added_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_GRAPH_CONSTANTS_H_
