// One TensorProto: its shape, where its bytes are, and the check that both agree.
#ifndef TRIMS_FORMAT_ONNX_TENSOR_H_
#define TRIMS_FORMAT_ONNX_TENSOR_H_

#include <cstdint>
#include <functional>

#include "trims/status.h"

#include "format/onnx.h"
#include "format/protobuf_reader.h"

namespace trims {

struct OnnxTensorRead {
  OnnxTensor tensor;
  // UNIMPLEMENTED: tensors can't be so; INVALID_ARGUMENT: the shape and the data don't agree, or
  // where the data is isn't said. The message is a sound protocol buffer all the same.
  Status status;
};

// The name is not looked at: only a graph's initializers need one. An error: no protocol buffer.
Result<OnnxTensorRead> ReadOnnxTensor(ProtobufWindow& window, FileRange message);

// kUnknown for a type that tensors can't have.
DType DTypeFromOnnx(int32_t type);

// Calls `use` for each element of the typed field `number` of a TensorProto: the bits, not yet cut
// to the element's width.
Status ForEachTyped(ProtobufWindow& window, FileRange message, uint32_t number,
                    const std::function<Status(uint64_t)>& use);

// The typed field in which elements of `dtype` are written; 0: none.
uint32_t TypedFieldOf(DType dtype);

// The bytes of one value in that field: 4 for a float, of which C64 has two.
size_t TypedWidth(DType dtype);

}  // namespace trims

#endif  // TRIMS_FORMAT_ONNX_TENSOR_H_
