#include "dlpack.h"

#include <nanobind/ndarray.h>

#include <string>
#include <vector>

#include "errors.h"

namespace trims::python {
namespace {

namespace nb = nanobind;
using nb::dlpack::dtype_code;

Result<nb::dlpack::dtype> DlpackType(const TensorView& tensor) {
  const auto of = [](dtype_code code, uint8_t bits) {
    return nb::dlpack::dtype{static_cast<uint8_t>(code), bits, 1};
  };
  switch (tensor.dtype) {
    case DType::kF16:
      return of(dtype_code::Float, 16);
    case DType::kF32:
      return of(dtype_code::Float, 32);
    case DType::kF64:
      return of(dtype_code::Float, 64);
    case DType::kBF16:
      return of(dtype_code::Bfloat, 16);
    case DType::kI8:
      return of(dtype_code::Int, 8);
    case DType::kI16:
      return of(dtype_code::Int, 16);
    case DType::kI32:
      return of(dtype_code::Int, 32);
    case DType::kI64:
      return of(dtype_code::Int, 64);
    case DType::kU8:
      return of(dtype_code::UInt, 8);
    case DType::kU16:
      return of(dtype_code::UInt, 16);
    case DType::kU32:
      return of(dtype_code::UInt, 32);
    case DType::kU64:
      return of(dtype_code::UInt, 64);
    case DType::kBool:
      return of(dtype_code::Bool, 8);
    case DType::kC64:
      return of(dtype_code::Complex, 64);
    case DType::kC128:
      return of(dtype_code::Complex, 128);
    default:
      return Status(StatusCode::kUnimplemented,
                    "'" + std::string(tensor.name) + "' is of " + std::string(tensor.type_name) +
                        ", which DLPack has no name for",
                    "its bytes, of the tier \"host\": model.tensors[name]");
  }
}

}  // namespace

nb::object DlpackOf(const std::shared_ptr<Model>& model, const TensorView& tensor) {
  const nb::dlpack::dtype dtype = ValueOrRaise(DlpackType(tensor));
  const OpenInfo& info = model->info();
  const bool on_gpu = info.memory == HandleKind::kCudaDevice;
  const std::vector<size_t> shape(tensor.shape.begin(), tensor.shape.end());
  const nb::capsule owner(new std::shared_ptr<Model>(model), [](void* held) noexcept {
    delete static_cast<std::shared_ptr<Model>*>(held);
  });
  const nb::ndarray<nb::array_api, nb::ro> array(
      tensor.bytes.data(), shape.size(), shape.data(), owner,
      /*strides=*/nullptr, dtype, on_gpu ? nb::device::cuda::value : nb::device::cpu::value,
      on_gpu ? info.device_ordinal : 0);
  return nb::cast(array);
}

}  // namespace trims::python
