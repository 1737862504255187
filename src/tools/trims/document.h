// Document: reads a field of a JSON document (docs/json.md) without trusting that it is there or of
// the type expected: a daemon may be older or newer than this program. Every text has passed
// Printable().
#ifndef TRIMS_TOOLS_TRIMS_DOCUMENT_H_
#define TRIMS_TOOLS_TRIMS_DOCUMENT_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "trims/status.h"

namespace trims::cli {

using Json = nlohmann::json;

// INTERNAL: the daemon's answer is no JSON object.
Result<Json> ParseDocument(const std::string& document);

std::string Text(const Json& object, const char* field);
uint64_t Number(const Json& object, const char* field);  // 0 where there is no such count
bool Flag(const Json& object, const char* field);
const Json& List(const Json& object, const char* field);    // an empty array where there is none
const Json& Object(const Json& object, const char* field);  // an empty object where there is none

// The field as seconds since 1970, from "2026-11-23T10:00:00Z" (fractions are dropped). 0 where it
// can't be read.
int64_t UnixTime(const Json& object, const char* field);

// "default/ocr:3f1c" as a person types it: without the namespace that is the default.
std::string ShortReference(std::string_view reference);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_DOCUMENT_H_
