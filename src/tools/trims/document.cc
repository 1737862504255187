#include "tools/trims/document.h"

#include <ctime>

#include "tools/trims/humanise.h"

namespace trims::cli {
namespace {

const Json* Find(const Json& object, const char* field) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(field);
  return it == object.end() ? nullptr : &*it;
}

}  // namespace

Result<Json> ParseDocument(const std::string& document) {
  Json json = Json::parse(document, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return Status(StatusCode::kInternal, "the daemon's answer is no JSON object",
                  "compare 'trims version' with the version in the daemon's log");
  }
  return json;
}

std::string Text(const Json& object, const char* field) {
  const Json* value = Find(object, field);
  return value != nullptr && value->is_string() ? Printable(value->get_ref<const std::string&>())
                                                : "";
}

uint64_t Number(const Json& object, const char* field) {
  const Json* value = Find(object, field);
  if (value == nullptr) return 0;
  if (value->is_number_unsigned()) return value->get<uint64_t>();
  if (!value->is_number_integer()) return 0;
  const int64_t number = value->get<int64_t>();
  return number < 0 ? 0 : static_cast<uint64_t>(number);
}

bool Flag(const Json& object, const char* field) {
  const Json* value = Find(object, field);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

const Json& List(const Json& object, const char* field) {
  static const Json kEmpty = Json::array();
  const Json* value = Find(object, field);
  return value != nullptr && value->is_array() ? *value : kEmpty;
}

const Json& Object(const Json& object, const char* field) {
  static const Json kEmpty = Json::object();
  const Json* value = Find(object, field);
  return value != nullptr && value->is_object() ? *value : kEmpty;
}

int64_t UnixTime(const Json& object, const char* field) {
  const std::string text = Text(object, field);
  tm time = {};
  if (strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return 0;
  return timegm(&time);
}

std::string ShortReference(std::string_view reference) {
  constexpr std::string_view kDefault = "default/";
  if (reference.starts_with(kDefault)) reference.remove_prefix(kDefault.size());
  return std::string(reference);
}

}  // namespace trims::cli
