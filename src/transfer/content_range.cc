#include "transfer/content_range.h"

#include <charconv>
#include <limits>

namespace trims {
namespace {

// A number at the front, taken away; nothing where there is none.
std::optional<uint64_t> TakeNumber(std::string_view* text) {
  uint64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [parsed, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(parsed - text->data()));
  return number;
}

bool Take(std::string_view* text, std::string_view what) {
  if (!text->starts_with(what)) return false;
  text->remove_prefix(what.size());
  return true;
}

}  // namespace

std::optional<ContentRange> ParseContentRange(std::string_view value) {
  if (!Take(&value, "bytes ")) return std::nullopt;
  const std::optional<uint64_t> first = TakeNumber(&value);
  if (!first || !Take(&value, "-")) return std::nullopt;
  const std::optional<uint64_t> last = TakeNumber(&value);
  if (!last || *last < *first || *last == std::numeric_limits<uint64_t>::max()) return std::nullopt;
  ContentRange range{.first = *first, .length = *last - *first + 1, .total = std::nullopt};
  if (!Take(&value, "/")) return std::nullopt;
  if (value == "*") return range;
  range.total = TakeNumber(&value);
  if (!range.total || !value.empty() || *range.total <= *last) return std::nullopt;
  return range;
}

}  // namespace trims
