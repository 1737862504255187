#include "format/tensor_entry.h"

#include "base/utf8.h"

namespace trims {

std::optional<uint64_t> TensorBytes(DType dtype, const std::vector<uint64_t>& shape) {
  uint64_t bytes = DTypeSize(dtype);
  bool empty = false;
  for (const uint64_t extent : shape) {
    if (extent > INT64_MAX) return std::nullopt;
    empty |= extent == 0;
    // An extent of 0 must not hide that the others are absurd: frameworks multiply them in any
    // order.
    if (extent != 0 && __builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  }
  if (bytes > INT64_MAX) return std::nullopt;
  return empty ? 0 : bytes;
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

std::string ShownName(std::string_view name) {
  std::string shown(name.substr(0, 200));
  for (char& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) c = '?';
  }
  if (name.size() > 200) shown += "…";
  return shown;
}

}  // namespace trims
