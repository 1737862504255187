#include "store/host_budget.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "store/machine_memory.h"

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

Status BadSize(std::string_view text) {
  return Status(StatusCode::kInvalidArgument, "'" + std::string(text) + "' is no size",
                "write bytes (1073741824, 500MB, 1.5GiB) or a share of memory (50%)");
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// `factor` × `number`, rounded down. Whole numbers stay exact.
Result<uint64_t> Scale(std::string_view number, uint64_t factor, std::string_view text) {
  const char* const end = number.data() + number.size();
  uint64_t whole = 0;
  const auto integer = std::from_chars(number.data(), end, whole);
  if (integer.ec == std::errc() && integer.ptr == end) {
    if (whole > std::numeric_limits<uint64_t>::max() / factor) return BadSize(text);
    return whole * factor;
  }
  double fraction = 0;
  const auto real = std::from_chars(number.data(), end, fraction, std::chars_format::fixed);
  if (real.ec != std::errc() || real.ptr != end || !(fraction >= 0)) return BadSize(text);
  const double scaled = std::floor(fraction * static_cast<double>(factor));
  if (scaled >= 0x1p64) return BadSize(text);
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

}  // namespace

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    Release();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Reservation::Release() {
  if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
  budget_ = nullptr;
  bytes_ = 0;
}

Result<Reservation> HostBudget::Reserve(uint64_t bytes) {
  if (bytes > limit_) {
    return Status(StatusCode::kTooLarge,
                  std::to_string(bytes) + " bytes are needed, the host budget is " +
                      std::to_string(limit_) + " bytes",
                  "raise the host budget (trimsd --host-budget)");
  }
  uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ - used) {
      return Status(StatusCode::kResourceExhausted,
                    std::to_string(bytes) + " bytes are needed, " + std::to_string(limit_ - used) +
                        " of the host budget's " + std::to_string(limit_) + " bytes are free");
    }
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return Reservation(this, bytes);
}

Result<uint64_t> ParseByteSize(std::string_view text, uint64_t total_memory) {
  const std::string_view trimmed = Trimmed(text);
  if (trimmed.ends_with('%')) {
    return ParseShare(Trimmed(trimmed.substr(0, trimmed.size() - 1)), total_memory, text);
  }
  const size_t digits = trimmed.find_first_not_of("0123456789.");
  const std::string_view number = trimmed.substr(0, digits);
  const std::string_view unit =
      digits == std::string_view::npos ? std::string_view() : Trimmed(trimmed.substr(digits));
  for (const Unit& known : kUnits) {
    if (known.name == unit) return Scale(number, known.bytes, text);
  }
  return BadSize(text);
}

uint64_t TotalMemory() { return ReadMachineMemory().total; }

}  // namespace trims
