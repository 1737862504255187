#include "format/tensor_entry.h"

#include "base/shown_name.h"
#include "base/utf8.h"

namespace trims {
namespace {

constexpr size_t kShownNames = 3;

}  // namespace

std::optional<uint64_t> TensorBytes(DType dtype, const std::vector<uint64_t>& shape) {
  uint64_t bits = DTypeBits(dtype);
  bool empty = false;
  for (const uint64_t extent : shape) {
    if (extent > INT64_MAX) return std::nullopt;
    empty |= extent == 0;
    // An extent of 0 must not hide that the others are absurd: frameworks multiply them in any
    // order.
    if (extent != 0 && __builtin_mul_overflow(bits, extent, &bits)) return std::nullopt;
  }
  if (empty) return 0;
  return bits / 8 + (bits % 8 == 0 ? 0 : 1);
}

bool IsWholeBytes(DType dtype, const std::vector<uint64_t>& shape) {
  uint64_t bits = DTypeBits(dtype) % 8;
  for (const uint64_t extent : shape) bits = bits * (extent % 8) % 8;
  return bits == 0;
}

Status CheckTensorName(std::string_view name) {
  const char* wrong = nullptr;
  if (name.empty()) wrong = "is empty";
  if (name.size() > kMaxTensorNameBytes) wrong = "is too long";
  if (name.find('\0') != std::string_view::npos) wrong = "holds a NUL byte";
  if (!IsUtf8(name)) wrong = "is not UTF-8";
  if (wrong == nullptr) return Status();
  return Status(StatusCode::kInvalidArgument,
                "the name of a tensor " + std::string(wrong) + ": '" + ShownName(name) + "'");
}

void AddLeftOut(LeftOutTensors* left_out, std::string_view name, const std::string& why) {
  LeftOut& group = (*left_out)[why];
  if (++group.count <= kShownNames) group.names += " '" + ShownName(name) + "'";
}

}  // namespace trims
