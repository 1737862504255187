#include "trace/chrome_text.h"

#include <array>
#include <cstdio>

#include "base/utf8.h"

namespace trims {
namespace {

// Microseconds, as the format has them, with the nanoseconds behind the point.
std::string MicrosText(Duration duration) {
  const int64_t ns = duration.count();
  std::array<char, 40> text;
  const int length =
      std::snprintf(text.data(), text.size(), "%lld.%03lld", static_cast<long long>(ns / 1000),
                    static_cast<long long>(ns % 1000));
  return std::string(text.data(), static_cast<size_t>(length));
}

void AppendEscaped(char c, std::string* json) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    *json += '\\';
    *json += c;
  } else if (byte < 0x20 || byte == 0x7f) {
    *json += "\\u00";
    *json += kDigits[byte >> 4];
    *json += kDigits[byte & 15];
  } else {
    *json += c;
  }
}

std::string Metadata(std::string_view name, int64_t pid, int64_t tid, const std::string& args) {
  return "{\"name\":\"" + std::string(name) + "\",\"ph\":\"M\",\"pid\":" + std::to_string(pid) +
         ",\"tid\":" + std::to_string(tid) + ",\"args\":{" + args + "}}";
}

}  // namespace

std::string JsonString(std::string_view text) {
  const bool utf8 = IsUtf8(text);
  std::string json = "\"";
  for (const char c : text) {
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    AppendEscaped(utf8 || ascii ? c : '?', &json);
  }
  return json + '"';
}

std::string ChromeSpanText(const ChromeSpan& span) {
  std::string json = "{\"name\":" + JsonString(span.name) + ",\"cat\":\"" +
                     std::string(span.category) +
                     "\",\"ph\":\"X\",\"ts\":" + MicrosText(span.begin) +
                     ",\"dur\":" + MicrosText(span.took) + ",\"pid\":" + std::to_string(span.pid) +
                     ",\"tid\":" + std::to_string(span.tid) + ",\"args\":{";
  bool first = true;
  for (const ChromeArg& arg : span.args) {
    json += (first ? "\"" : ",\"") + std::string(arg.name) + "\":" + arg.json;
    first = false;
  }
  return json + "}}";
}

std::string ChromeProcessName(int64_t pid, std::string_view name) {
  return Metadata("process_name", pid, 0, "\"name\":" + JsonString(name));
}

std::string ChromeThreadName(int64_t pid, int64_t tid, std::string_view name) {
  return Metadata("thread_name", pid, tid, "\"name\":" + JsonString(name));
}

std::string ChromeWriterText(const ChromeWriter& writer) {
  return Metadata(
      kChromeWriterName, writer.pid, 0,
      "\"program\":" + JsonString(writer.program) +
          ",\"clock\":\"CLOCK_MONOTONIC\",\"monotonic_us\":" + MicrosText(writer.monotonic) +
          ",\"unix_us\":" + std::to_string(writer.unix_us));
}

}  // namespace trims
