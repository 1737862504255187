// Events of a Chrome trace as text: what Perfetto and chrome://tracing read, one JSON object each, on one line.
//
//   ChromeSpan span{.name = "open", .category = "trims.client", .begin = begin, .took = took, .pid = 17, .tid = 17};
//   span.args.push_back({"model", JsonString("ocr")});
//   file.Append({ChromeSpanText(span)});
//
// Times are those of CLOCK_MONOTONIC, which is one for all processes of a node: what several of them wrote lines up.
// Thread-safety: values and pure functions.
#ifndef TRIMS_TRACE_CHROME_TEXT_H_
#define TRIMS_TRACE_CHROME_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace trims {

struct ChromeArg {
  std::string_view name;  // of our own, and so without anything to escape
  std::string json;       // its value: JsonString(), a number, true
};

struct ChromeSpan {
  std::string name;
  std::string_view category;
  Duration begin{0};  // since the clock's beginning
  Duration took{0};
  int64_t pid = 0;
  int64_t tid = 0;
  std::vector<ChromeArg> args = {};
};

// In quotes, with what JSON wants escaped. What is no UTF-8 becomes '?' where it isn't ASCII.
std::string JsonString(std::string_view text);

// ph "X".
std::string ChromeSpanText(const ChromeSpan& span);
// ph "M": what a viewer calls a process or a thread.
std::string ChromeProcessName(int64_t pid, std::string_view name);
std::string ChromeThreadName(int64_t pid, int64_t tid, std::string_view name);

// ph "M", of this project's own, which viewers pass over: that `pid` wrote the file itself, since when, and what the clock on the
// wall said as the monotonic one said `monotonic`.
struct ChromeWriter {
  int64_t pid = 0;
  std::string_view program;
  Duration monotonic{0};
  int64_t unix_us = 0;
};
inline constexpr std::string_view kChromeWriterName = "trims_writer";
std::string ChromeWriterText(const ChromeWriter& writer);

}  // namespace trims

#endif  // TRIMS_TRACE_CHROME_TEXT_H_
