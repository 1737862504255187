#include "base/utf8.h"

#include <cstddef>
#include <cstdint>

namespace trims {
namespace {

// Length of the sequence that `lead` begins, and the smallest code point that may be written with
// it; 0: no lead byte.
struct Sequence {
  size_t length;
  uint32_t smallest;
  uint32_t bits;
};

Sequence SequenceOf(unsigned char lead) {
  if (lead < 0x80) return {1, 0, lead};
  if (lead >> 5 == 0x6) return {2, 0x80, lead & 0x1fu};
  if (lead >> 4 == 0xe) return {3, 0x800, lead & 0x0fu};
  if (lead >> 3 == 0x1e) return {4, 0x10000, lead & 0x07u};
  return {0, 0, 0};
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto [length, smallest, bits] = SequenceOf(static_cast<unsigned char>(text[0]));
    if (length == 0 || length > text.size()) return false;
    uint32_t point = bits;
    for (size_t i = 1; i < length; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte >> 6 != 0x2) return false;
      point = point << 6 | (byte & 0x3fu);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < smallest || point > 0x10ffff || surrogate) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace trims
