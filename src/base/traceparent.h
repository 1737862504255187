// Traceparent: which trace, and which span of it, somebody's call belongs to, as W3C Trace Context writes it:
// "00-<32 hexadecimal digits>-<16>-<2>".
//
//   TRIMS_ASSIGN_OR_RETURN(const Traceparent parent, ParseTraceparent(text));
//   parent.trace_id;  // "4bf92f3577b34da6a3ce929d0e0e4736"
//
// Thread-safety: values and pure functions.
#ifndef TRIMS_BASE_TRACEPARENT_H_
#define TRIMS_BASE_TRACEPARENT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

inline constexpr size_t kTraceparentBytes = 55;  // of version 00
inline constexpr size_t kTraceIdDigits = 32;
inline constexpr size_t kSpanIdDigits = 16;

struct Traceparent {
  std::string trace_id;
  std::string span_id;
  bool sampled = true;  // whether its caller records the trace
};

// A later version is read as far as version 00 goes. INVALID_ARGUMENT for anything else: digits are lower case, and an
// identifier of zeros is none.
Result<Traceparent> ParseTraceparent(std::string_view text);

// In version 00.
std::string FormatTraceparent(const Traceparent& parent);

// What is as good as random of a number that is not: SplitMix64.
uint64_t MixBits(uint64_t value);
// Sixteen digits. Those of zero are no identifier.
std::string SpanIdText(uint64_t id);

}  // namespace trims

#endif  // TRIMS_BASE_TRACEPARENT_H_
