#include "tools/trims/small_file.h"

#include <charconv>

#include "base/sys.h"

namespace trims::cli {
namespace {

constexpr size_t kMost = 64 * 1024;

std::optional<uint64_t> LeadingNumber(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return std::nullopt;
  text.remove_prefix(start);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

}  // namespace

std::string SmallFile(const std::string& path) {
  const UniqueFd fd = sys::Open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (!fd) return {};
  std::string text(kMost, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = sys::Read(fd.get(), text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  return text;
}

std::optional<uint64_t> NumberInFile(const std::string& path) {
  return LeadingNumber(SmallFile(path));
}

std::optional<uint64_t> NumberAfter(std::string_view text, std::string_view field) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(field) && line.substr(field.size()).starts_with(':')) {
      return LeadingNumber(line.substr(field.size() + 1));
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return std::nullopt;
}

std::string ChosenWord(std::string_view text) {
  const size_t open = text.find('[');
  const size_t close = text.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return std::string(text.substr(open + 1, close - open - 1));
}

}  // namespace trims::cli
