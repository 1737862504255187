// NamesOf, FindNamed: rows of a constant table that people choose from by name.
//
//   const std::string names = NamesOf(EvictionPolicies());  // "worth, never, lru"
//   return FindNamed(EvictionPolicies(), typed, "eviction policy");
//
// A row has a `name`. Thread-safety: safe.
#ifndef TRIMS_BASE_NAMED_ROWS_H_
#define TRIMS_BASE_NAMED_ROWS_H_

#include <span>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

template <typename Row>
std::string NamesOf(std::span<const Row> rows) {
  std::string names;
  for (const Row& row : rows) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

// INVALID_ARGUMENT names those there are. `what` they are, in the singular.
template <typename Row>
Result<const Row*> FindNamed(std::span<const Row> rows, std::string_view name,
                             std::string_view what) {
  for (const Row& row : rows) {
    if (row.name == name) return &row;
  }
  return Status(StatusCode::kInvalidArgument,
                "there is no " + std::string(what) + " '" + std::string(name) + "'",
                "use one of " + NamesOf(rows));
}

}  // namespace trims

#endif  // TRIMS_BASE_NAMED_ROWS_H_
