// Near names for a mistyped one. Pure.
#ifndef TRIMS_TOOLS_TRIMS_SUGGEST_H_
#define TRIMS_TOOLS_TRIMS_SUGGEST_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace trims::cli {

// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate that `word` most likely stands for: one that it begins, or one about a third of its
// length away. Empty if none is near.
std::string Nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_SUGGEST_H_
