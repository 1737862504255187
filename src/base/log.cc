#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

namespace trims {
namespace {

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("trims",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *logger;
}

bool NeedsQuotes(std::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= 0x20 || byte == '"' || byte == '=' || byte == '\\' || byte >= 0x7f;
         });
}

void AppendQuoted(std::string_view value, std::string* line) {
  *line += '"';
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\') {
      *line += '\\';
      *line += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      *line += fmt::format("\\x{:02x}", byte);
    } else {
      *line += c;
    }
  }
  *line += '"';
}

void Write(spdlog::level::level_enum level, std::string_view event, LogFields fields) {
  if (Logger().should_log(level)) Logger().log(level, "{}", FormatLogLine(event, fields));
}

}  // namespace

std::string FormatLogLine(std::string_view event, LogFields fields) {
  std::string line(event);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (NeedsQuotes(field.value)) {
      AppendQuoted(field.value, &line);
    } else {
      line += field.value;
    }
  }
  return line;
}

void SetLogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return Logger().set_level(spdlog::level::debug);
    case LogLevel::kInfo:
      return Logger().set_level(spdlog::level::info);
    case LogLevel::kWarning:
      return Logger().set_level(spdlog::level::warn);
    case LogLevel::kError:
      return Logger().set_level(spdlog::level::err);
    case LogLevel::kOff:
      return Logger().set_level(spdlog::level::off);
  }
}

Result<LogLevel> ParseLogLevel(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  if (name == "off") return LogLevel::kOff;
  return Status(StatusCode::kInvalidArgument, "log level '" + std::string(name) + "'",
                "debug, info, warning, error or off");
}

void LogDebug(std::string_view event, LogFields fields) {
  Write(spdlog::level::debug, event, fields);
}
void LogInfo(std::string_view event, LogFields fields) {
  Write(spdlog::level::info, event, fields);
}
void LogWarning(std::string_view event, LogFields fields) {
  Write(spdlog::level::warn, event, fields);
}
void LogError(std::string_view event, LogFields fields) {
  Write(spdlog::level::err, event, fields);
}

}  // namespace trims
