#include "adapters/onnxruntime/element_type.h"

namespace trims::onnxruntime {

ONNXTensorElementDataType ElementType(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    case DType::kF64:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case DType::kF16:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16;
    case DType::kBF16:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
    case DType::kI8:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;
    case DType::kU8:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
    case DType::kI16:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16;
    case DType::kU16:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16;
    case DType::kI32:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
    case DType::kU32:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32;
    case DType::kI64:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    case DType::kU64:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64;
    case DType::kBool:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
    case DType::kF8E4M3:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN;
    case DType::kF8E5M2:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2;
    case DType::kC64:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64;
    case DType::kC128:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128;
    case DType::kF8E4M3FNUZ:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ;
    case DType::kF8E5M2FNUZ:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ;
    case DType::kU4:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4;
    case DType::kI4:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4;
    // Newer than the headers that this is built with; so ONNX Runtime 1.32 numbers them in its C API.
    case DType::kF4:
      return static_cast<ONNXTensorElementDataType>(23);
    case DType::kF8E8M0:
      return static_cast<ONNXTensorElementDataType>(26);
    case DType::kU2:
      return static_cast<ONNXTensorElementDataType>(24);
    case DType::kI2:
      return static_cast<ONNXTensorElementDataType>(25);
    case DType::kF6E2M3:
    case DType::kF6E3M2:
    case DType::kUnknown:
      break;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

}  // namespace trims::onnxruntime
