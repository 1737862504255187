#include "tools/trims/otlp_settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/macros.h"
#include "source/percent.h"

namespace trims::cli {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// That of the traces goes before that of all signals.
std::string Ours(const Variable& variable, const std::string& what) {
  const std::string own = variable(("OTEL_EXPORTER_OTLP_TRACES_" + what).c_str());
  return own.empty() ? variable(("OTEL_EXPORTER_OTLP_" + what).c_str()) : own;
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool Decode(std::string_view text, std::string* decoded) {
  return PercentDecode(text, decoded) && std::none_of(decoded->begin(), decoded->end(), IsControl);
}

// "a=1,b=2", as W3C Baggage has it. The values are not shown: they may be secrets.
Result<Pairs> PairsOf(const std::string& name, std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view pair = Trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    std::string key;
    std::string value;
    const bool good = equals != std::string_view::npos &&
                      Decode(Trimmed(pair.substr(0, equals)), &key) && !key.empty() &&
                      Decode(Trimmed(pair.substr(equals + 1)), &value);
    if (!good) {
      return Status(
          StatusCode::kInvalidArgument,
          "number " + std::to_string(pairs.size() + 1) + " in " + name + " is no KEY=VALUE",
          "write KEY=VALUE,KEY=VALUE, with %XX for what is neither a letter nor a digit");
    }
    pairs.emplace_back(std::move(key), std::move(value));
  }
  return pairs;
}

Result<std::string> UrlOf(const Variable& variable) {
  std::string url = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  if (url.empty()) {
    url = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
    if (url.empty()) {
      return Status(StatusCode::kInvalidArgument, "no collector is named",
                    "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318, or another one's address");
    }
    url += url.ends_with('/') ? "v1/traces" : "/v1/traces";
  }
  if (url.starts_with("http://") || url.starts_with("https://")) return url;
  return Status(StatusCode::kInvalidArgument,
                "the collector's address is no http:// or https:// URL",
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318");
}

Status CheckProtocol(const Variable& variable) {
  const std::string protocol = Ours(variable, "PROTOCOL");
  if (protocol.empty() || protocol == "http/json") return Status();
  return Status(
      StatusCode::kInvalidArgument,
      "OTEL_EXPORTER_OTLP_PROTOCOL asks for another protocol than http/json",
      "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json, and the collector's port for HTTP (4318)");
}

Result<Duration> TimeoutOf(const Variable& variable) {
  const std::string text = Ours(variable, "TIMEOUT");
  if (text.empty()) return Duration(std::chrono::seconds(10));
  uint32_t milliseconds = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, milliseconds);
  if (error == std::errc() && parsed == end && milliseconds > 0 && milliseconds <= 600'000) {
    return Duration(std::chrono::milliseconds(milliseconds));
  }
  return Status(StatusCode::kInvalidArgument,
                "OTEL_EXPORTER_OTLP_TIMEOUT is no number of milliseconds from 1 to 600000",
                "leave it out, or write 10000");
}

std::string HostName() {
  std::array<char, 256> name = {};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// A name in the variable of its own goes before one among the attributes.
Result<std::map<std::string, std::string>> AttributesOf(const Variable& variable) {
  std::map<std::string, std::string> attributes = {{"service.name", "trims"}};
  if (const std::string host = HostName(); !host.empty()) attributes["host.name"] = host;
  TRIMS_ASSIGN_OR_RETURN(Pairs pairs,
                         PairsOf("OTEL_RESOURCE_ATTRIBUTES", variable("OTEL_RESOURCE_ATTRIBUTES")));
  for (auto& [key, value] : pairs) attributes[key] = std::move(value);
  const std::string service = variable("OTEL_SERVICE_NAME");
  if (!service.empty()) attributes["service.name"] = service;
  return attributes;
}

}  // namespace

std::string VariableOfProcess(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<OtlpSettings> ReadOtlpSettings(const Variable& variable) {
  OtlpSettings settings;
  TRIMS_RETURN_IF_ERROR(CheckProtocol(variable));
  TRIMS_ASSIGN_OR_RETURN(settings.url, UrlOf(variable));
  TRIMS_ASSIGN_OR_RETURN(settings.timeout, TimeoutOf(variable));
  TRIMS_ASSIGN_OR_RETURN(settings.attributes, AttributesOf(variable));
  TRIMS_ASSIGN_OR_RETURN(const Pairs headers,
                         PairsOf("OTEL_EXPORTER_OTLP_HEADERS", Ours(variable, "HEADERS")));
  for (const auto& [name, value] : headers) settings.headers.push_back(name + ": " + value);
  settings.ca_file = Ours(variable, "CERTIFICATE");
  return settings;
}

}  // namespace trims::cli
