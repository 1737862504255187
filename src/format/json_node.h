// JsonNode: bounds-checked access to a JSON document that somebody else wrote.
//
// A node is a value and the path that leads to it, so that an error can say where it is:
// "variants[1].key: expected a string, came a number". Nothing throws; a missing or mistyped field
// is INVALID_ARGUMENT. Nodes borrow the document.
//
//   TRIMS_ASSIGN_OR_RETURN(const nlohmann::json document, ParseJson(text, limits));
//   TRIMS_ASSIGN_OR_RETURN(const JsonNode name, JsonNode(document).Member("name"));
//   TRIMS_ASSIGN_OR_RETURN(std::string value, name.String(256));
//
// Thread-safety: values over an immutable document.
#ifndef TRIMS_FORMAT_JSON_NODE_H_
#define TRIMS_FORMAT_JSON_NODE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "trims/status.h"

namespace trims {

struct JsonLimits {
  size_t max_bytes = size_t{64} << 20;
  int max_depth = 16;  // arrays and objects in one another
};

// INVALID_ARGUMENT: not JSON, or deeper than allowed; TOO_LARGE: longer than allowed.
Result<nlohmann::json> ParseJson(std::string_view text, const JsonLimits& limits);

class JsonNode {
 public:
  explicit JsonNode(const nlohmann::json& value, std::string where = {})
      : value_(&value), where_(std::move(where)) {}

  Result<JsonNode> Member(std::string_view key) const;
  // Nothing: the object has no such member. A null is one.
  Result<std::optional<JsonNode>> OptionalMember(std::string_view key) const;
  Result<std::string> String(size_t max_bytes) const;
  Result<uint64_t> Integer(uint64_t min, uint64_t max) const;
  Result<size_t> Size(size_t max) const;  // of an array
  // Calls `use` for each element of an array of at most `max`; stops at the first error.
  Status ForEach(size_t max, const std::function<Status(const JsonNode&)>& use) const;

  // INVALID_ARGUMENT "<where>: expected <expected>, came <came>".
  Status Wrong(std::string_view expected, std::string_view came) const;

 private:
  Status WrongType(std::string_view expected) const;

  const nlohmann::json* value_;
  std::string where_;
};

}  // namespace trims

#endif  // TRIMS_FORMAT_JSON_NODE_H_
