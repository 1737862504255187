// ElementType: ONNX Runtime's name of a DType; UNDEFINED for one that it doesn't have.
#ifndef TRIMS_ADAPTERS_ONNXRUNTIME_ELEMENT_TYPE_H_
#define TRIMS_ADAPTERS_ONNXRUNTIME_ELEMENT_TYPE_H_

#include <onnxruntime_c_api.h>

#include "trims/dtype.h"

namespace trims::onnxruntime {

ONNXTensorElementDataType ElementType(DType dtype);

}  // namespace trims::onnxruntime

#endif  // TRIMS_ADAPTERS_ONNXRUNTIME_ELEMENT_TYPE_H_
