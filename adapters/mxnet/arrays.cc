#include "adapters/mxnet/arrays.h"

#include <dlpack/dlpack.h>

#include <array>
#include <optional>
#include <string_view>

#include "adapters/mxnet/shared_weights.h"
#include "base/macros.h"

namespace trims::mxnet {
namespace {

constexpr int kProcessor = 1;  // MXNet's device type
constexpr int kFloat32 = 0;    // its element type

// What MXNet 1.9.1 takes by DLPack.
std::optional<DLDataType> ElementOf(DType dtype) {
  const auto of = [](DLDataTypeCode code, uint8_t bits) {
    return DLDataType{static_cast<uint8_t>(code), bits, 1};
  };
  switch (dtype) {
    case DType::kF16:
      return of(kDLFloat, 16);
    case DType::kF32:
      return of(kDLFloat, 32);
    case DType::kF64:
      return of(kDLFloat, 64);
    case DType::kI8:
      return of(kDLInt, 8);
    case DType::kI32:
      return of(kDLInt, 32);
    case DType::kI64:
      return of(kDLInt, 64);
    case DType::kU8:
      return of(kDLUInt, 8);
    default:
      return std::nullopt;
  }
}

// MXNet's names of its element types, in the order of their numbers.
constexpr std::array<std::string_view, 13> kTypeNames = {
    "float32", "float64", "float16", "uint8",  "int32",  "int8",    "int64",
    "bool",    "int16",   "uint16",  "uint32", "uint64", "bfloat16"};

std::string TypeName(int type) {
  if (type >= 0 && static_cast<size_t>(type) < kTypeNames.size())
    return std::string(kTypeNames[static_cast<size_t>(type)]);
  return "the type number " + std::to_string(type);
}

// A tensor that was lent to MXNet, which gives it back from any of its threads.
struct Lent {
  DLManagedTensor managed{};
  std::vector<int64_t> shape;
  std::shared_ptr<Model> model;
};

std::unique_ptr<Lent> Lend(const std::shared_ptr<Model>& model, const TensorView& tensor,
                           DLDataType element) {
  auto lent = std::make_unique<Lent>();
  lent->shape.assign(tensor.shape.begin(), tensor.shape.end());
  lent->model = model;
  DLTensor& described = lent->managed.dl_tensor;
  // MXNet takes a pointer to non-const; the pages refuse to be written to.
  described.data = const_cast<std::byte*>(tensor.bytes.data());
  described.ctx = {kDLCPU, 0};
  described.ndim = static_cast<int>(lent->shape.size());
  described.dtype = element;
  described.shape = lent->shape.data();
  lent->managed.manager_ctx = lent.get();
  lent->managed.deleter = [](DLManagedTensor* managed) {
    delete static_cast<Lent*>(managed->manager_ctx);
  };
  return lent;
}

}  // namespace

Result<Owned> ArrayOver(const Library& mxnet, const std::shared_ptr<Model>& model,
                        const TensorView& tensor) {
  const std::optional<DLDataType> element = ElementOf(tensor.dtype);
  if (!element) {
    return Status(StatusCode::kUnimplemented,
                  "'" + std::string(tensor.name) + "' is of " + std::string(tensor.type_name) +
                      ", which MXNet can't be lent",
                  "trims.mxnet.model.load_checkpoint copies such parameters");
  }
  AddSharedWeights(reinterpret_cast<uintptr_t>(tensor.bytes.data()), tensor.bytes.size());
  std::unique_ptr<Lent> lent = Lend(model, tensor, *element);
  NDArrayHandle made = nullptr;
  TRIMS_RETURN_IF_ERROR(
      mxnet.Check("MXNDArrayFromDLPackEx",
                  mxnet.array_from_dlpack(&lent->managed, /*transient_handle=*/false, &made)));
  static_cast<void>(lent.release());  // MXNet's now
  return Owned(made, mxnet.array_free);
}

Result<Owned> NewArray(const Library& mxnet, const std::vector<uint32_t>& shape) {
  NDArrayHandle made = nullptr;
  TRIMS_RETURN_IF_ERROR(mxnet.Check(
      "MXNDArrayCreateEx", mxnet.array_create(shape.data(), static_cast<uint32_t>(shape.size()),
                                              kProcessor, 0, /*delay_alloc=*/0, kFloat32, &made)));
  return Owned(made, mxnet.array_free);
}

Status CheckFloats(const Library& mxnet, void* array, const std::string& what) {
  int type = 0;
  TRIMS_RETURN_IF_ERROR(mxnet.Check("MXNDArrayGetDType", mxnet.array_type(array, &type)));
  if (type == kFloat32) return Status();
  return Status(StatusCode::kUnimplemented,
                what + " is of " + TypeName(type) + ": expected float32",
                "let the symbol end in mx.sym.Cast(output, dtype='float32')");
}

}  // namespace trims::mxnet
