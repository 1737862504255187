// NearNames: which known names somebody probably meant.
#ifndef TRIMS_MANAGER_NEAR_NAMES_H_
#define TRIMS_MANAGER_NEAR_NAMES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trims {

// How many insertions, deletions and replacements of one character lead from one to the other.
size_t EditDistance(std::string_view from, std::string_view to);

// At most `limit` of `known` that are near `name` (a third of its characters may differ) or contain
// it, nearest first. Looks at the first 4096 of `known`, so that a wrong name costs the event loop
// little.
std::vector<std::string> NearNames(std::string_view name, const std::vector<std::string>& known,
                                   size_t limit);

}  // namespace trims

#endif  // TRIMS_MANAGER_NEAR_NAMES_H_
