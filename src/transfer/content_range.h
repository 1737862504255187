// The header with which a server says which bytes it sends (RFC 9110, section 14.4).
//
//   const std::optional<ContentRange> range = ParseContentRange("bytes 0-499/1234");
//   range->first;   // 0
//   range->length;  // 500
//   range->total;   // 1234
//
// Thread-safety: a pure function.
#ifndef TRIMS_TRANSFER_CONTENT_RANGE_H_
#define TRIMS_TRANSFER_CONTENT_RANGE_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace trims {

struct ContentRange {
  uint64_t first = 0;
  uint64_t length = 0;            // at least 1
  std::optional<uint64_t> total;  // of the object; nothing for "*"

  friend bool operator==(const ContentRange&, const ContentRange&) = default;
};

// Nothing: it is no range of bytes that was satisfied.
std::optional<ContentRange> ParseContentRange(std::string_view value);

}  // namespace trims

#endif  // TRIMS_TRANSFER_CONTENT_RANGE_H_
