// Tensor groups: which tensors are a layer's, by their names, and which of them begin where pages can be shared.
//
//   const std::vector<bool> aligned = AlignedGroups(entries);   // in the order in which they are laid
//
// A group is what lies side by side and has the same name up to its first number ("model.layers.3" of
// "model.layers.3.mlp.up.weight"), or else up to its first dot. Its beginning is aligned only where it is long enough that what
// aligning wastes, at most a block, is little of it.
// Thread-safety: pure functions.
#ifndef TRIMS_PREPARE_TENSOR_GROUPS_H_
#define TRIMS_PREPARE_TENSOR_GROUPS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/granularity.h"

namespace trims {

// Shorter groups begin right behind what is before them.
inline constexpr uint64_t kLeastAlignedGroup = 4 * kShareBlockBytes;

struct NamedBytes {
  std::string name;
  uint64_t bytes = 0;
};

// The part of a tensor's name that those of its layer share. A view of `name`.
std::string_view LayerOf(std::string_view name);

// For each tensor whether it begins at a multiple of kShareBlockBytes.
std::vector<bool> AlignedGroups(const std::vector<NamedBytes>& tensors);

}  // namespace trims

#endif  // TRIMS_PREPARE_TENSOR_GROUPS_H_
