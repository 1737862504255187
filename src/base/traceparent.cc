#include "base/traceparent.h"

#include <algorithm>

namespace trims {
namespace {

constexpr size_t kTraceAt = 3;
constexpr size_t kSpanAt = kTraceAt + kTraceIdDigits + 1;
constexpr size_t kFlagsAt = kSpanAt + kSpanIdDigits + 1;

bool IsDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool AreDigits(std::string_view text) { return std::all_of(text.begin(), text.end(), IsDigit); }

bool IsIdentifier(std::string_view text) {
  return AreDigits(text) && text.find_first_not_of('0') != std::string_view::npos;
}

int ValueOf(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

bool HasForm(std::string_view text) {
  if (text.size() < kTraceparentBytes) return false;
  const std::string_view version = text.substr(0, 2);
  if (!AreDigits(version) || version == "ff") return false;
  if (version == "00" && text.size() != kTraceparentBytes) return false;
  if (text.size() > kTraceparentBytes && text[kTraceparentBytes] != '-') return false;
  return text[kTraceAt - 1] == '-' && text[kSpanAt - 1] == '-' && text[kFlagsAt - 1] == '-';
}

}  // namespace

Result<Traceparent> ParseTraceparent(std::string_view text) {
  if (HasForm(text)) {
    const std::string_view trace = text.substr(kTraceAt, kTraceIdDigits);
    const std::string_view span = text.substr(kSpanAt, kSpanIdDigits);
    const std::string_view flags = text.substr(kFlagsAt, 2);
    if (IsIdentifier(trace) && IsIdentifier(span) && AreDigits(flags)) {
      return Traceparent{.trace_id = std::string(trace),
                         .span_id = std::string(span),
                         .sampled = (ValueOf(flags[1]) & 1) != 0};
    }
  }
  return Status(
      StatusCode::kInvalidArgument,
      "no traceparent: expected 00-<32 hexadecimal digits>-<16>-<2>, as W3C Trace Context has it",
      "leave it out, or take it from the caller's span");
}

std::string FormatTraceparent(const Traceparent& parent) {
  return "00-" + parent.trace_id + "-" + parent.span_id + (parent.sampled ? "-01" : "-00");
}

uint64_t MixBits(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::string SpanIdText(uint64_t id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(id >> shift) & 15];
  return text;
}

}  // namespace trims
