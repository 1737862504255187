#include "base/plain_path.h"

#include <algorithm>
#include <filesystem>
#include <utility>

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

std::optional<std::string> PlainPathOf(std::string_view path) {
  if (path.size() > kMaxPathBytes) return std::nullopt;
  std::string plain = std::filesystem::path(path).lexically_normal().string();
  return IsPlainPath(plain) ? std::optional(std::move(plain)) : std::nullopt;
}

std::string_view FolderOfPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash + 1);
}

}  // namespace trims
