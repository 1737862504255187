// Names that came from outside, as an error or a note shows them.
//
// Thread-safety: pure functions.
#ifndef TRIMS_BASE_SHOWN_NAME_H_
#define TRIMS_BASE_SHOWN_NAME_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trims {

// UTF-8, cut after some 200 bytes. What steers a terminal or turns the direction of
// writing is '?', and so is all that is not ASCII where the name is no UTF-8.
std::string ShownName(std::string_view name);

// The first character of UTF-8 that isn't empty, and whether it neither steers a terminal nor turns the
// direction of writing.
std::string_view FirstCharacter(std::string_view utf8);
bool IsHarmless(std::string_view character);

// The first `most` of them.
std::string ShownNames(const std::vector<std::string>& names, size_t most = 5);

}  // namespace trims

#endif  // TRIMS_BASE_SHOWN_NAME_H_
