#include "base/shown_name.h"

#include <algorithm>
#include <cstdint>

#include "base/utf8.h"

namespace trims {
namespace {

constexpr size_t kMaxShownBytes = 200;

size_t BytesOfCharacter(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// `character`: well-formed.
uint32_t CodePoint(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first;
  uint32_t code = first & (0x7fU >> character.size());
  for (const char next : character.substr(1))
    code = code << 6 | (static_cast<unsigned char>(next) & 0x3fU);
  return code;
}

std::string ShownAscii(std::string_view name) {
  std::string shown(name.substr(0, kMaxShownBytes));
  // A char of 0x80 and more may be negative.
  std::ranges::replace_if(
      shown, [](int8_t c) { return c < 0x20 || c == 0x7f; }, '?');
  return shown;
}

std::string ShownUtf8(std::string_view name) {
  std::string shown;
  for (size_t at = 0; at < name.size() && shown.size() < kMaxShownBytes;) {
    const std::string_view character = FirstCharacter(name.substr(at));
    shown += IsHarmless(character) ? character : "?";
    at += character.size();
  }
  return shown;
}

}  // namespace

std::string_view FirstCharacter(std::string_view utf8) {
  return utf8.substr(0, BytesOfCharacter(utf8[0]));
}

bool IsHarmless(std::string_view character) {
  const uint32_t code = CodePoint(character);
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool separator = code == 0x2028 || code == 0x2029;
  const bool direction = code == 0x061c || code == 0x200e || code == 0x200f ||
                         (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return !control && !separator && !direction;
}

std::string ShownName(std::string_view name) {
  std::string shown = IsUtf8(name) ? ShownUtf8(name) : ShownAscii(name);
  if (name.size() > kMaxShownBytes) shown += "…";
  return shown;
}

std::string ShownNames(const std::vector<std::string>& names, size_t most) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < most; ++i) {
    text += (text.empty() ? "" : ", ") + ShownName(names[i]);
  }
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

}  // namespace trims
