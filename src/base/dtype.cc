#include "trims/dtype.h"

#include <iterator>

namespace trims {
namespace {

struct Entry {
  std::string_view name;
  size_t size;
};

// Indexed by the enum's value.
constexpr Entry kEntries[] = {{"UNKNOWN", 0}, {"F32", 4}, {"F64", 8},  {"F16", 2},  {"BF16", 2},
                              {"I8", 1},      {"U8", 1},  {"I16", 2},  {"U16", 2},  {"I32", 4},
                              {"U32", 4},     {"I64", 8}, {"U64", 8},  {"BOOL", 1}, {"F8_E4M3", 1},
                              {"F8_E5M2", 1}, {"C64", 8}, {"C128", 16}};

const Entry& EntryOf(DType dtype) {
  const auto value = static_cast<size_t>(dtype);
  return kEntries[value < std::size(kEntries) ? value : 0];
}

}  // namespace

size_t DTypeSize(DType dtype) { return EntryOf(dtype).size; }

std::string_view DTypeName(DType dtype) { return EntryOf(dtype).name; }

DType DTypeFromName(std::string_view name) {
  for (size_t i = 1; i < std::size(kEntries); ++i) {
    if (kEntries[i].name == name) return static_cast<DType>(i);
  }
  return DType::kUnknown;
}

}  // namespace trims
