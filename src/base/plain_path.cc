#include "base/plain_path.h"

#include <algorithm>
#include <utility>

#include "base/model_limits.h"
#include "base/utf8.h"

namespace trims {
namespace {

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// U+0080 to U+009F: terminals obey some of them.
bool HasC1(std::string_view path) {
  for (size_t at = path.find('\xc2'); at != std::string_view::npos && at + 1 < path.size();
       at = path.find('\xc2', at + 1)) {
    if (static_cast<unsigned char>(path[at + 1]) < 0xa0) return true;
  }
  return false;
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
         std::ranges::none_of(path, IsControl) && !HasC1(path);
}

bool IsPlainName(std::string_view name) {
  return IsPlainPath(name) && name.find('/') == std::string_view::npos;
}

std::optional<std::string> PlainPathOf(std::string_view path) {
  if (path.size() > kMaxPathBytes || path.starts_with('/') || path.ends_with('/'))
    return std::nullopt;
  std::string plain;
  for (size_t begin = 0; begin < path.size();) {
    const std::string_view part = path.substr(begin, path.find('/', begin) - begin);
    begin += part.size() + 1;
    if (part.empty() || part == ".") continue;
    plain.append(plain.empty() ? "" : "/").append(part);
  }
  return IsPlainPath(plain) ? std::optional(std::move(plain)) : std::nullopt;
}

std::string_view FolderOfPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash + 1);
}

}  // namespace trims
