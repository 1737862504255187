#include "prepare/tensor_groups.h"

#include <algorithm>

namespace trims {
namespace {

bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view LayerOf(std::string_view name) {
  for (size_t begin = 0; begin < name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    if (IsNumber(name.substr(begin, end - begin))) return name.substr(0, end);
    begin = end + 1;
  }
  return name.substr(0, name.find('.'));
}

std::vector<bool> AlignedGroups(const std::vector<NamedBytes>& tensors) {
  std::vector<bool> aligned(tensors.size());
  for (size_t begin = 0; begin < tensors.size();) {
    const std::string_view layer = LayerOf(tensors[begin].name);
    size_t end = begin;
    uint64_t bytes = 0;
    while (end < tensors.size() && LayerOf(tensors[end].name) == layer)
      bytes += tensors[end++].bytes;
    aligned[begin] = bytes >= kLeastAlignedGroup;
    begin = end;
  }
  return aligned;
}

}  // namespace trims
