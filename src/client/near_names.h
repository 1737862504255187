// NearNames: which of some names somebody may have meant.
#ifndef TRIMS_CLIENT_NEAR_NAMES_H_
#define TRIMS_CLIENT_NEAR_NAMES_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace trims::client {

// Up to three of the first some thousand names that `name_at` gives, nearest first, as a hint:
// "'a', 'b' or 'c'". Empty if none is near. Bounded work: only short enough names are compared.
std::string NearNames(std::string_view wanted, size_t count,
                      const std::function<std::string_view(size_t)>& name_at);

}  // namespace trims::client

#endif  // TRIMS_CLIENT_NEAR_NAMES_H_
