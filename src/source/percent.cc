#include "source/percent.h"

namespace trims {
namespace {

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool NeedsEscape(unsigned char c) {
  constexpr std::string_view kNotInAPath = R"(%?#"<>[]\^`{|})";
  return c <= ' ' || c >= 0x7f || kNotInAPath.find(static_cast<char>(c)) != kNotInAPath.npos;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

void AppendEscaped(char c, std::string* text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  text->append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
}

bool Holds(std::string_view bytes, char c) { return bytes.find(c) != std::string_view::npos; }

}  // namespace

bool PercentDecode(std::string_view text, std::string* decoded) {
  decoded->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded->push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return false;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return false;
    decoded->push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded->find('\0') == std::string::npos;
}

std::string PercentEncode(std::string_view text, std::string_view besides) {
  std::string encoded;
  for (const char c : text) {
    if (NeedsEscape(static_cast<unsigned char>(c)) || Holds(besides, c)) {
      AppendEscaped(c, &encoded);
    } else {
      encoded.push_back(c);
    }
  }
  return encoded;
}

std::string PercentEncodeStrictly(std::string_view text, std::string_view kept) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c) || Holds(kept, c)) {
      encoded.push_back(c);
    } else {
      AppendEscaped(c, &encoded);
    }
  }
  return encoded;
}

}  // namespace trims
