// Onnx: finds the weights of an ONNX model, which stay where they are until somebody copies them.
//
// The walk reads every message of the file that can hold a weight: the graph's initializers and the
// values of its Constant nodes, which are returned, and those of nested graphs, of nodes'
// attributes and of functions, of which only external data is reported. Files larger than memory
// are fine.
//
// ONNX Runtime takes many models that break a rule where nobody looks. So a tensor that can't be
// returned is left out, with the reason, and is no error of the model; `doubt` says if one seems
// damaged. A name with several values has the last one, as there.
//
//   TRIMS_ASSIGN_OR_RETURN(const OnnxModel model, ReadOnnx(file));
//   for (const OnnxTensor& tensor : model.initializers) …
//
// Source: onnx.proto of the ONNX project (field numbers), its IR and ExternalData documents
// (rules).
//
// Thread-safety: a function of `file`; any number at once.
#ifndef TRIMS_FORMAT_ONNX_H_
#define TRIMS_FORMAT_ONNX_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/protobuf_reader.h"
#include "format/tensor_entry.h"

namespace trims {

struct OnnxTensor {
  enum class Storage : uint8_t {
    kRaw,       // [offset, offset + length) of the model file
    kTyped,     // in typed fields of the message: DecodeTyped() makes the bytes
    kExternal,  // [offset, offset + length) of the file `location`
  };
  TensorEntry entry;  // dtype kUnknown: one that tensors can't have, e.g. STRING; length is then 0
  Storage storage = Storage::kRaw;
  std::string location;  // as the model spells it; PlainPathOf() makes a plain path of it
  FileRange message;     // the TensorProto
  int32_t onnx_type = 0;
};

struct OnnxModel {
  int64_t ir_version = 0;
  std::string producer;
  std::string opset;                     // of the default domain, e.g. "17"
  std::vector<OnnxTensor> initializers;  // and constants of the main graph, names unique
  LeftOutTensors left_out;
  Status doubt;  // the first damage among those left out: ONNX Runtime may still not mind
  std::set<std::string> external_files;  // locations that any part of the model names
  size_t nested_tensors = 0;             // in nested graphs, functions and other attributes
  bool nested_external = false;          // a nested graph or an attribute has external data

  // `why`: UNIMPLEMENTED for what tensors can't have, anything else for damage.
  void LeaveOut(const std::string& name, const Status& why);
};

// INVALID_ARGUMENT: not a model, or malformed; DATA_LOSS: truncated. Into OnnxModel::doubt go absurd
// shapes, wrong lengths and external paths that could leave the model's folder. The files that
// external data names are not looked at.
Result<OnnxModel> ReadOnnx(const RandomAccess& file);

// "FLOAT", "INT4", …
std::string OnnxTypeName(int32_t type);

// The bytes of a kTyped tensor of `file`, in pieces of at most 64 KiB, to `use`.
Status DecodeTyped(const RandomAccess& file, const OnnxTensor& tensor,
                   const std::function<Status(std::span<const std::byte>)>& use);

}  // namespace trims

#endif  // TRIMS_FORMAT_ONNX_H_
