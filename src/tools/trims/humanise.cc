#include "tools/trims/humanise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/shown_name.h"
#include "base/utf8.h"

namespace trims::cli {

std::string HumanBytes(uint64_t bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would be printed as 1024 of the smaller unit.
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 99.95 ? fmt::format("{:.1f} {}", value, kUnits[unit])
                       : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::string HumanRate(uint64_t bytes_per_second) {
  return bytes_per_second == 0 ? "-" : HumanBytes(bytes_per_second) + "/s";
}

std::string Counted(uint64_t count, std::string_view singular, std::string_view plural) {
  if (count == 1) return fmt::format("1 {}", singular);
  return plural.empty() ? fmt::format("{} {}s", count, singular)
                        : fmt::format("{} {}", count, plural);
}

std::string HumanDuration(std::chrono::seconds duration) {
  const int64_t seconds = std::max<int64_t>(0, duration.count());
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86400, seconds % 86400 / 3600);
}

std::string HumanMicroseconds(uint64_t microseconds) {
  const auto us = static_cast<double>(microseconds);
  if (us < 1e3) return fmt::format("{} µs", microseconds);
  if (us < 1e6)
    return us < 1e4 ? fmt::format("{:.1f} ms", us / 1e3) : fmt::format("{:.0f} ms", us / 1e3);
  if (us < 1e7) return fmt::format("{:.1f} s", us / 1e6);
  return HumanDuration(std::chrono::seconds(microseconds / 1'000'000));
}

std::string HumanAge(std::chrono::seconds age) {
  const int64_t seconds = age.count();
  if (seconds < 1) return "now";
  if (seconds < 60) return fmt::format("{} s ago", seconds);
  if (seconds < 3600) return fmt::format("{} min ago", seconds / 60);
  if (seconds < 86400) return fmt::format("{} h ago", seconds / 3600);
  return fmt::format("{} d ago", seconds / 86400);
}

namespace {

double Fraction(uint64_t part, uint64_t total) {
  if (total == 0) return 0;
  return std::min(1.0, static_cast<double>(part) / static_cast<double>(total));
}

}  // namespace

std::string Bar(uint64_t used, uint64_t total, size_t width) {
  const size_t cells = width < 3 ? 1 : width - 2;
  const auto full = static_cast<size_t>(Fraction(used, total) * static_cast<double>(cells));
  return "[" + std::string(full, '#') + std::string(cells - full, '.') + "]";
}

std::string Percent(uint64_t part, uint64_t total) {
  if (total == 0) return "-";
  return fmt::format("{} %", static_cast<int>(Fraction(part, total) * 100));
}

std::string Printable(std::string_view text) {
  const bool utf8 = IsUtf8(text);
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::string_view character = utf8 ? FirstCharacter(text) : text.substr(0, 1);
    const bool harmless = utf8 || static_cast<unsigned char>(character[0]) < 0x80;
    if (harmless && IsHarmless(character)) {
      result += character;
    } else {
      for (const char c : character) {
        result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    text.remove_prefix(character.size());
  }
  return result;
}

}  // namespace trims::cli
