#include "base/byte_size.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

namespace trims {
namespace {

struct Unit {
  std::string_view name;
  uint64_t bytes;
};
constexpr uint64_t kKilo = 1000;
constexpr Unit kUnits[] = {
    {"", 1},
    {"B", 1},
    {"KiB", uint64_t{1} << 10},
    {"MiB", uint64_t{1} << 20},
    {"GiB", uint64_t{1} << 30},
    {"TiB", uint64_t{1} << 40},
    {"KB", kKilo},
    {"MB", kKilo* kKilo},
    {"GB", kKilo* kKilo* kKilo},
    {"TB", kKilo* kKilo* kKilo* kKilo},
};

constexpr const char* kBytesHint = "write bytes (1073741824, 500MB, 1.5GiB)";
constexpr const char* kShareHint =
    "write bytes (1073741824, 500MB, 1.5GiB) or a share of memory (50%)";

Status BadSize(std::string_view text, const char* hint) {
  return Status(StatusCode::kInvalidArgument, "'" + std::string(text) + "' is no size", hint);
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// `factor` × `number`, rounded down. Whole numbers stay exact. Nothing: it is no number, or too large.
std::optional<uint64_t> Scale(std::string_view number, uint64_t factor) {
  const char* const end = number.data() + number.size();
  uint64_t whole = 0;
  const auto integer = std::from_chars(number.data(), end, whole);
  if (integer.ec == std::errc() && integer.ptr == end) {
    if (whole > std::numeric_limits<uint64_t>::max() / factor) return std::nullopt;
    return whole * factor;
  }
  double fraction = 0;
  const auto real = std::from_chars(number.data(), end, fraction, std::chars_format::fixed);
  if (real.ec != std::errc() || real.ptr != end || !(fraction >= 0)) return std::nullopt;
  const double scaled = std::floor(fraction * static_cast<double>(factor));
  if (scaled >= 0x1p64) return std::nullopt;
  return static_cast<uint64_t>(scaled);
}

Result<uint64_t> ParseShare(std::string_view number, uint64_t total, std::string_view text) {
  double percent = 0;
  const char* const end = number.data() + number.size();
  const auto [parsed, error] =
      std::from_chars(number.data(), end, percent, std::chars_format::fixed);
  if (error != std::errc() || parsed != end || !(percent > 0) || percent > 100) {
    return Status(
        StatusCode::kInvalidArgument,
        "'" + std::string(text) + "' is no share: expected more than 0% and at most 100%");
  }
  const double share = std::floor(static_cast<double>(total) * percent / 100);
  return share >= static_cast<double>(total) ? total : static_cast<uint64_t>(share);
}

Result<uint64_t> ParseBytes(std::string_view text, const char* hint) {
  const std::string_view trimmed = Trimmed(text);
  const size_t digits = trimmed.find_first_not_of("0123456789.");
  const std::string_view unit =
      digits == std::string_view::npos ? std::string_view() : Trimmed(trimmed.substr(digits));
  for (const Unit& known : kUnits) {
    if (known.name != unit) continue;
    const std::optional<uint64_t> bytes = Scale(trimmed.substr(0, digits), known.bytes);
    if (bytes) return *bytes;
  }
  return BadSize(text, hint);
}

}  // namespace

Result<uint64_t> ParseByteSize(std::string_view text) { return ParseBytes(text, kBytesHint); }

Result<uint64_t> ParseByteSize(std::string_view text, uint64_t total_memory) {
  const std::string_view trimmed = Trimmed(text);
  if (!trimmed.ends_with('%')) return ParseBytes(text, kShareHint);
  return ParseShare(Trimmed(trimmed.substr(0, trimmed.size() - 1)), total_memory, text);
}

}  // namespace trims
