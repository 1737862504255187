// NearNames: which known names somebody probably meant, for messages and hints.
//
//   NearNames("mdi", {"big", "mid"}, 3)                →  {"mid"}
//   Alternatives({"mid", "small", "tiny"})             →  "'mid', 'small' or 'tiny'"
//
// The work is bounded, so that a wrong name costs an event loop little: at most the first 4096
// known names are looked at, only those of at most 128 bytes, and distances are found as long as that takes some tenths of a
// millisecond. Thread-safety: pure functions.
#ifndef TRIMS_BASE_NEAR_NAMES_H_
#define TRIMS_BASE_NEAR_NAMES_H_

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trims {

// How many insertions, deletions, replacements and swaps of neighbours turn one into the other.
size_t EditDistance(std::string_view from, std::string_view to);

// At most `most` of the `count` names that `name_at` gives, nearest first: those that begin with
// `wanted`, those at most about a third of its length away, those that contain it. What `name_at`
// returns need stay valid until its next call only.
std::vector<std::string> NearNames(std::string_view wanted, size_t count,
                                   const std::function<std::string_view(size_t)>& name_at,
                                   size_t most);
std::vector<std::string> NearNames(std::string_view wanted, std::span<const std::string> known,
                                   size_t most);

// The nearest one; empty if none is near.
std::string NearestName(std::string_view wanted, std::span<const std::string> known);

// The names in quotes, the last two joined by "or"; empty if there are none.
std::string Alternatives(std::span<const std::string> names);

}  // namespace trims

#endif  // TRIMS_BASE_NEAR_NAMES_H_
