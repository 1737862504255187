#include "admin/target.h"

#include <algorithm>
#include <optional>

#include "base/plain_path.h"

namespace trims::admin {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Status BadTarget(const std::string& why) {
  return Status(StatusCode::kInvalidArgument, "the path of the request " + why,
                "a plain path, such as /v1/models/resnet50");
}

// Nothing where it is malformed. An escaped separator would be one segment for us and two for a proxy.
std::optional<std::string> Unescape(std::string_view raw) {
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      text += raw[i];
      continue;
    }
    if (i + 2 >= raw.size()) return std::nullopt;
    const int high = HexDigit(raw[i + 1]);
    const int low = HexDigit(raw[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    const char c = static_cast<char>(high * 16 + low);
    if (c == '/' || c == '\\') return std::nullopt;
    text += c;
    i += 2;
  }
  return text;
}

}  // namespace

Result<std::string> DecodeTarget(std::string_view raw) {
  if (raw.empty() || raw.front() != '/') return BadTarget("does not begin with '/'");
  if (raw.size() > kMaxTargetBytes) {
    return BadTarget("has " + std::to_string(raw.size()) + " bytes: expected at most " +
                     std::to_string(kMaxTargetBytes));
  }
  std::optional<std::string> path = Unescape(raw);
  if (!path) return BadTarget("has a '%' that is no escape, or escapes a separator");
  if (path->find('\\') != std::string::npos) return BadTarget("has a backslash");
  if (path->size() > 1 && !IsPlainPath(std::string_view(*path).substr(1))) {
    return BadTarget("has an empty, '.' or '..' part, a control character, or is no UTF-8");
  }
  return *std::move(path);
}

}  // namespace trims::admin
