// GraphConstants: the values in an ONNX graph that nobody can change, and new ones beside them.
//
//   TRIMS_ASSIGN_OR_RETURN(GraphConstants constants, GraphConstants::Of(file));
//   const OnnxTensor* weight = constants.Find("fc.weight");
//   TRIMS_ASSIGN_OR_RETURN(const std::string bytes, constants.BytesOf(*weight));
//   const std::string shape = constants.AddInt64s({1, -1});  // its name
//   graph += constants.added();
//
// Where the graph's weights lie in a file of their own, new ones go to another such file, one by one: a model
// is rewritten in the memory that its largest weight takes.
//
// Borrows the files. Thread-safety: one thread.
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
#include "prepare/out_folder.h"
#include "prepare/protobuf_writer.h"

namespace trims {

// Files of external data. Borrowed.
struct ExternalWeights {
  const RandomAccess* given = nullptr;  // all of the graph's; nullptr: what is external isn't known
  OutFile* added = nullptr;             // for large new ones; nullptr: into the graph
  std::string added_name = {};          // by which the graph finds it
};

class GraphConstants {
 public:
  // Errors as ReadOnnx().
  static Result<GraphConstants> Of(const RandomAccess& file, ExternalWeights weights = {});
  GraphConstants(GraphConstants&&) = default;
  GraphConstants& operator=(GraphConstants&&) = default;

  // nullptr: no initializer of the main graph, or one that a caller may override.
  const OnnxTensor* Find(const std::string& name) const;
  // The same, of two dimensions, with at least so many bytes, and some, which can be had.
  const OnnxTensor* FindMatrix(const std::string& name, int32_t onnx_type,
                               uint64_t min_bytes) const;
  const std::vector<OnnxTensor>& all() const { return model_.initializers; }
  int opset() const;  // of ONNX's own operators; 0: unknown

  // Whether its bytes can be had: it is in the graph, or in the file that is known.
  bool Has(const OnnxTensor& tensor) const;
  // Little endian, as raw data. UNIMPLEMENTED: not to be had, or more than 1 GiB.
  Result<std::string> BytesOf(const OnnxTensor& tensor) const;
  // The same into memory that was used before.
  Status ReadBytes(const OnnxTensor& tensor, std::string* bytes) const;

  // A name that nothing in the graph has.
  std::string NewName() { return prefix_ + std::to_string(count_++); }
  // Each gives the new one's name. Errors: of writing to the file of those added.
  std::string AddInt64s(const std::vector<int64_t>& values);
  Result<std::string> Add(int32_t onnx_type, const std::vector<uint64_t>& shape,
                          std::string_view bytes);
  // Fields of a graph.
  const std::string& added() const { return added_.message(); }

 private:
  GraphConstants(const RandomAccess& file, OnnxModel model, ExternalWeights weights)
      : file_(&file), model_(std::move(model)), weights_(std::move(weights)) {}
  ProtobufWriter Head(int32_t onnx_type, const std::vector<uint64_t>& shape, std::string_view name);
  Status AddExternal(std::string_view bytes, ProtobufWriter* tensor);
  Status ReadInputs();
  Status ChoosePrefix();

  const RandomAccess* file_;
  OnnxModel model_;
  ExternalWeights weights_;
  std::unordered_map<std::string, const OnnxTensor*> by_name_;
  std::string prefix_ = "trims.steady.";
  size_t count_ = 0;
  ProtobufWriter added_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_GRAPH_CONSTANTS_H_
