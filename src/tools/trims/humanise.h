// Numbers and text from elsewhere, for a person's eyes. Pure.
//
//   HumanBytes(53'897'625)      → "51.4 MiB"
//   HumanDuration(seconds(5000)) → "1 h 23 min"
#ifndef TRIMS_TOOLS_TRIMS_HUMANISE_H_
#define TRIMS_TOOLS_TRIMS_HUMANISE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trims::cli {

// IEC units with three digits or so: "0 B", "1023 B", "1.0 KiB", "99.9 MiB", "512 MiB", "16.0 EiB".
std::string HumanBytes(uint64_t bytes);

// "410 MiB/s"; "-" where there is no rate.
std::string HumanRate(uint64_t bytes_per_second);

// "1 model", "2 models"; `plural` where adding an 's' is not how it is done.
std::string Counted(uint64_t count, std::string_view singular, std::string_view plural = {});

// The two largest units: "0 s", "59 s", "1 min 5 s", "2 h 0 min", "3 d 4 h". Negative durations
// read "0 s".
std::string HumanDuration(std::chrono::seconds duration);

// "12 µs", "3.4 ms", "0.82 s", "59 s", then as HumanDuration.
std::string HumanMicroseconds(uint64_t microseconds);

// One unit: "now", "5 s ago", "3 min ago", "2 h ago", "4 d ago". A time in the future reads "now".
std::string HumanAge(std::chrono::seconds age);

// "[#####.....]" of `width` characters in all. `total` 0: empty. Never full before `used` reaches
// `total`.
std::string Bar(uint64_t used, uint64_t total, size_t width);

// "42 %", and "-" where `total` is 0. Rounded down, so that 100 % means all of it.
std::string Percent(uint64_t part, uint64_t total);

// `text` with what steers a terminal or turns the direction of writing as "\x1b", and so all that is not
// ASCII in what is no UTF-8: what a daemon or a file system says can't drive the terminal.
std::string Printable(std::string_view text);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_HUMANISE_H_
