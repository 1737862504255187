#include "admin/json_fields.h"

namespace trims::admin {

Json ParseJson(const std::string& text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Json();
  return json;  // moved: to copy one that is nested deeply takes as deep a stack
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

const Json& FieldOf(const Json& object, std::string_view name) {
  static const Json& none = *new Json();
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

const Json& ListOf(const Json& object, std::string_view name) {
  static const Json& none = *new Json(Json::array());
  const Json& field = FieldOf(object, name);
  return field.is_array() ? field : none;
}

std::string TextOf(const Json& object, std::string_view name) {
  const Json& field = FieldOf(object, name);
  return field.is_string() ? field.get<std::string>() : "";
}

}  // namespace trims::admin
