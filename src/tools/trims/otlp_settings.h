// OtlpSettings: where spans are sent to, as OpenTelemetry's environment variables say it.
//
//   TRIMS_ASSIGN_OR_RETURN(const OtlpSettings settings, ReadOtlpSettings(VariableOfProcess));
//
// Headers may be secrets: they are for nobody's eyes. Thread-safety: values and pure functions.
#ifndef TRIMS_TOOLS_TRIMS_OTLP_SETTINGS_H_
#define TRIMS_TOOLS_TRIMS_OTLP_SETTINGS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/clock.h"

namespace trims::cli {

struct OtlpSettings {
  std::string url;                                // of the traces
  std::vector<std::string> headers;               // "Name: value"
  std::map<std::string, std::string> attributes;  // of the resource; service.name is among them
  Duration timeout = std::chrono::seconds(10);    // of one attempt
  std::string ca_file;                            // empty: the system's
};

// What a variable holds; empty: nothing.
using Variable = std::function<std::string(const char* name)>;
std::string VariableOfProcess(const char* name);

// OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT, …HEADERS, …TIMEOUT, …PROTOCOL, …CERTIFICATE, OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES. INVALID_ARGUMENT: no endpoint, or one of them can't be meant; another protocol than http/json.
Result<OtlpSettings> ReadOtlpSettings(const Variable& variable);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_OTLP_SETTINGS_H_
