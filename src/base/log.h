// The daemon's structured log: one line an event, an event name and key=value fields, through
// spdlog.
//
//   LogInfo("segment.resident", {{"model", name}, {"bytes", size}});
//   → 2026-11-23T10:00:00.000Z info segment.resident model=resnet50 bytes=102400
//
// Values that hold a space, a quote, '=', a control character or a byte beyond ASCII are quoted and
// escaped, so bytes from a client can't forge a line or change what a terminal shows. The client library does not log and does not link this.
// Thread-safety: safe.
#ifndef TRIMS_BASE_LOG_H_
#define TRIMS_BASE_LOG_H_

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const Status& v) : key(k), value(v.ToString()) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)) {}

  std::string_view key;
  std::string value;
};
using LogFields = std::initializer_list<LogField>;

void SetLogLevel(LogLevel level);
// "debug", "info", "warning", "error", "off"; INVALID_ARGUMENT otherwise.
Result<LogLevel> ParseLogLevel(std::string_view name);

void LogDebug(std::string_view event, LogFields fields = {});
void LogInfo(std::string_view event, LogFields fields = {});
void LogWarning(std::string_view event, LogFields fields = {});
void LogError(std::string_view event, LogFields fields = {});

// "event key=value key2=\"with space\"": what a line holds after its time and level.
std::string FormatLogLine(std::string_view event, LogFields fields);

}  // namespace trims

#endif  // TRIMS_BASE_LOG_H_
