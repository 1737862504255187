// IsUtf8: whether bytes that came from outside are text. Thread-safety: a pure function.
#ifndef TRIMS_BASE_UTF8_H_
#define TRIMS_BASE_UTF8_H_

#include <string_view>

namespace trims {

// Well-formed as The Unicode Standard has it: shortest form, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace trims

#endif  // TRIMS_BASE_UTF8_H_
