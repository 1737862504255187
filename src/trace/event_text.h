// TextIn: a field of an event that came from elsewhere. A pure function.
#ifndef TRIMS_TRACE_EVENT_TEXT_H_
#define TRIMS_TRACE_EVENT_TEXT_H_

#include <string>

#include <nlohmann/json.hpp>

namespace trims {

// Empty where the object has no such field, or it is no text.
inline std::string TextIn(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace trims

#endif  // TRIMS_TRACE_EVENT_TEXT_H_
