// Json fields: reads a document without trusting that a field is there or of the type expected: a daemon may be older or newer.
//
//   const Json status = ParseJson(text);                 // null where it is no JSON
//   for (const Json& tier : ListOf(status, "tiers")) Show(TextOf(tier, "name"));
//
// Thread-safety: pure functions.
#ifndef TRIMS_ADMIN_JSON_FIELDS_H_
#define TRIMS_ADMIN_JSON_FIELDS_H_

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace trims::admin {

using Json = nlohmann::ordered_json;

Json ParseJson(const std::string& text);
// What is no UTF-8 is replaced: texts may hold a stranger's bytes.
std::string DumpJson(const Json& json);

const Json& FieldOf(const Json& object, std::string_view name);  // null where there is none
const Json& ListOf(const Json& object, std::string_view name);   // an empty one where there is none
std::string TextOf(const Json& object, std::string_view name);   // "" where there is none

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_JSON_FIELDS_H_
