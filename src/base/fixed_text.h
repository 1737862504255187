// PutText, TextOf: text in a field of fixed size, as messages between processes of one release have it.
//
//   PutText(status.message(), reply.message);
//   const std::string message = TextOf(reply.message);
//
// Thread-safety: pure functions.
#ifndef TRIMS_BASE_FIXED_TEXT_H_
#define TRIMS_BASE_FIXED_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace trims {

// Cut where it doesn't fit; always ends with a zero.
template <size_t kSize>
void PutText(std::string_view text, char (&field)[kSize]) {
  const size_t length = text.copy(field, kSize - 1);
  field[length] = '\0';
}

// To the first zero, or the end.
template <size_t kSize>
std::string TextOf(const char (&field)[kSize]) {
  const std::string_view all(field, kSize);
  return std::string(all.substr(0, all.find('\0')));
}

}  // namespace trims

#endif  // TRIMS_BASE_FIXED_TEXT_H_
