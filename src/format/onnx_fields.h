// Field numbers of onnx.proto, as far as TrIMS reads them.
#ifndef TRIMS_FORMAT_ONNX_FIELDS_H_
#define TRIMS_FORMAT_ONNX_FIELDS_H_

#include <cstdint>

namespace trims::onnx_fields {

enum Model : uint32_t {
  kModelIrVersion = 1,
  kModelProducerName = 2,
  kModelGraph = 7,
  kModelOpsetImport = 8,
  kModelFunctions = 25,
};
enum OperatorSet : uint32_t { kOperatorSetDomain = 1, kOperatorSetVersion = 2 };
enum Graph : uint32_t {
  kGraphNode = 1,
  kGraphInitializer = 5,
  kGraphSparseInitializer = 15,
  kGraphName = 2,
  kGraphInput = 11,
  kGraphOutput = 12
};
enum SparseTensor : uint32_t { kSparseTensorValues = 1 };
enum Function : uint32_t { kFunctionNode = 7 };
enum Node : uint32_t {
  kNodeInput = 1,
  kNodeOutput = 2,
  kNodeName = 3,
  kNodeOpType = 4,
  kNodeAttribute = 5,
  kNodeDomain = 7,
};
enum Attribute : uint32_t {
  kAttributeName = 1,
  kAttributeFloat = 2,
  kAttributeInt = 3,
  kAttributeString = 4,
  kAttributeTensor = 5,
  kAttributeGraph = 6,
  kAttributeInts = 8,
  kAttributeTensors = 10,
  kAttributeGraphs = 11,
  kAttributeType = 20,
};
enum Tensor : uint32_t {
  kTensorDims = 1,
  kTensorDataType = 2,
  kTensorFloatData = 4,
  kTensorInt32Data = 5,
  kTensorStringData = 6,
  kTensorInt64Data = 7,
  kTensorName = 8,
  kTensorRawData = 9,
  kTensorDoubleData = 10,
  kTensorUint64Data = 11,
  kTensorExternalData = 13,
  kTensorDataLocation = 14,
};
enum ValueInfo : uint32_t { kValueName = 1, kValueType = 2 };
enum Entry : uint32_t { kEntryKey = 1, kEntryValue = 2 };

inline constexpr uint64_t kDataLocationDefault = 0;
inline constexpr uint64_t kDataLocationExternal = 1;

// TensorProto.DataType, those that are named in code.
enum Type : int32_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUint2 = 25,
  kInt2 = 26,
};

}  // namespace trims::onnx_fields

#endif  // TRIMS_FORMAT_ONNX_FIELDS_H_
