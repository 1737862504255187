#include "source/utc_time.h"

#include <charconv>
#include <string>

#include "base/shown_name.h"

namespace trims {
namespace {

// Moves past the number and what follows it; false: it is not there, or out of its bounds.
bool TakeNumber(std::string_view* text, size_t digits, std::string_view after, int least, int most,
                int* number) {
  if (text->size() < digits + after.size()) return false;
  const auto [end, error] = std::from_chars(text->data(), text->data() + digits, *number);
  if (error != std::errc() || end != text->data() + digits) return false;
  text->remove_prefix(digits);
  if (!text->starts_with(after) || *number < least || *number > most) return false;
  text->remove_prefix(after.size());
  return true;
}

bool IsEndOfTime(std::string_view text) {
  if (text.starts_with('.')) {
    const size_t end = text.find_first_not_of("0123456789", 1);
    text.remove_prefix(end == std::string_view::npos || end == 1 ? 0 : end);
  }
  return text == "Z";
}

}  // namespace

Result<std::chrono::system_clock::time_point> ParseUtcTime(std::string_view text) {
  std::string_view rest = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool good =
      TakeNumber(&rest, 4, "-", 1970, 9999, &year) && TakeNumber(&rest, 2, "-", 1, 12, &month) &&
      TakeNumber(&rest, 2, "T", 1, 31, &day) && TakeNumber(&rest, 2, ":", 0, 23, &hour) &&
      TakeNumber(&rest, 2, ":", 0, 59, &minute) && TakeNumber(&rest, 2, "", 0, 60, &second) &&
      IsEndOfTime(rest);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (good && date.ok() && year < 2262) {  // whose nanoseconds still fit
    return std::chrono::system_clock::time_point(
        std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
        std::chrono::seconds(second));
  }
  return Status(StatusCode::kInvalidArgument,
                "'" + ShownName(text) + "' is no time such as 2026-01-31T23:59:59Z");
}

}  // namespace trims
