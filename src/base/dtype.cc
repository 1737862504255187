#include "trims/dtype.h"

#include <iterator>

namespace trims {
namespace {

struct Entry {
  std::string_view name;
  size_t bits;
};

// Indexed by the enum's value.
constexpr Entry kEntries[] = {
    {"UNKNOWN", 0}, {"F32", 32},    {"F64", 64},        {"F16", 16},        {"BF16", 16},
    {"I8", 8},      {"U8", 8},      {"I16", 16},        {"U16", 16},        {"I32", 32},
    {"U32", 32},    {"I64", 64},    {"U64", 64},        {"BOOL", 8},        {"F8_E4M3", 8},
    {"F8_E5M2", 8}, {"C64", 64},    {"C128", 128},      {"F4", 4},          {"F6_E2M3", 6},
    {"F6_E3M2", 6}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"U4", 4},
    {"I4", 4},      {"U2", 2},      {"I2", 2},
};

const Entry& EntryOf(DType dtype) {
  const auto value = static_cast<size_t>(dtype);
  return kEntries[value < std::size(kEntries) ? value : 0];
}

}  // namespace

size_t DTypeBits(DType dtype) { return EntryOf(dtype).bits; }

size_t DTypeSize(DType dtype) {
  const size_t bits = DTypeBits(dtype);
  return bits % 8 == 0 ? bits / 8 : 0;
}

std::string_view DTypeName(DType dtype) { return EntryOf(dtype).name; }

DType DTypeFromName(std::string_view name) {
  for (size_t i = 1; i < std::size(kEntries); ++i) {
    if (kEntries[i].name == name) return static_cast<DType>(i);
  }
  return DType::kUnknown;
}

}  // namespace trims
