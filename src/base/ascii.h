// Letters of ASCII, whatever the locale.
//
//   std::ranges::transform(name, name.begin(), LowerAscii);
//
// Thread-safety: pure functions.
#ifndef TRIMS_BASE_ASCII_H_
#define TRIMS_BASE_ASCII_H_

#include <string>
#include <string_view>

namespace trims {

constexpr char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string InLowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerAscii(c);
  return lower;
}

}  // namespace trims

#endif  // TRIMS_BASE_ASCII_H_
