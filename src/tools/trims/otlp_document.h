// OtlpDocument: spans as OTLP's JSON, the body of a POST to /v1/traces.
//
//   const std::string body = OtlpDocument(settings.attributes, trees, since_epoch_at_clock_zero);
//
// A pure function. Field names and the form of numbers are those of OTLP 1: identifiers in hexadecimal digits, 64-bit numbers as texts.
#ifndef TRIMS_TOOLS_TRIMS_OTLP_DOCUMENT_H_
#define TRIMS_TOOLS_TRIMS_OTLP_DOCUMENT_H_

#include <map>
#include <span>
#include <string>

#include "base/clock.h"
#include "trace/event_spans.h"

namespace trims::cli {

// `epoch`: what the world's clock said, since 1970, when the monotonic one said 0.
std::string OtlpDocument(const std::map<std::string, std::string>& resource,
                         std::span<const SpanTree> trees, Duration epoch);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_OTLP_DOCUMENT_H_
