#include "base/plain_path.h"

#include <algorithm>

#include "base/model_limits.h"
#include "base/utf8.h"

namespace trims {
namespace {

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool HasPlainParts(std::string_view path) {
  for (;;) {
    const size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

bool IsPlainPath(std::string_view path) {
  return path.size() <= kMaxPathBytes && HasPlainParts(path) && IsUtf8(path) &&
         std::ranges::none_of(path, IsControl);
}

}  // namespace trims
