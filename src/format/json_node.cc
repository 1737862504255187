#include "format/json_node.h"

#include <algorithm>
#include <utility>

#include "base/macros.h"

namespace trims {

using nlohmann::json;

namespace {

// How many arrays and objects are open at once, at most. Before parsing, since a parser that asks a
// callback looks through an object again with each value in it, which never ends for large ones.
int DeepestLevel(std::string_view text) {
  int level = 0;
  int deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (in_string) {
      i += c == '\\' ? 1 : 0;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++level);
    } else if (c == ']' || c == '}') {
      --level;
    }
  }
  return deepest;
}

}  // namespace

Result<json> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Status(StatusCode::kTooLarge, "a JSON document of " + std::to_string(text.size()) +
                                             " bytes: expected at most " +
                                             std::to_string(limits.max_bytes));
  }
  if (DeepestLevel(text) > limits.max_depth) {
    return Status(
        StatusCode::kInvalidArgument,
        "JSON nested deeper than the " + std::to_string(limits.max_depth) + " levels allowed");
  }
  json document = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return Status(StatusCode::kInvalidArgument, "not valid JSON");
  return document;
}

Status JsonNode::Wrong(std::string_view expected, std::string_view came) const {
  std::string message = where_.empty() ? "the document" : where_;
  message.append(": expected ").append(expected).append(", came ").append(came);
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

Status JsonNode::WrongType(std::string_view expected) const {
  return Wrong(expected, std::string("a value of type ") + value_->type_name());
}

Result<std::optional<JsonNode>> JsonNode::OptionalMember(std::string_view key) const {
  if (!value_->is_object()) return WrongType("an object");
  const std::string name(key);
  const auto found = value_->find(name);
  if (found == value_->end()) return std::optional<JsonNode>();
  return std::optional(JsonNode(*found, where_.empty() ? name : where_ + "." + name));
}

Result<JsonNode> JsonNode::Member(std::string_view key) const {
  TRIMS_ASSIGN_OR_RETURN(std::optional<JsonNode> found, OptionalMember(key));
  if (!found) return Wrong("a member '" + std::string(key) + "'", "an object without it");
  return *std::move(found);
}

Result<std::string> JsonNode::String(size_t max_bytes) const {
  const auto* text = value_->get_ptr<const std::string*>();
  if (text == nullptr) return WrongType("a string");
  if (text->size() > max_bytes) {
    return Wrong("at most " + std::to_string(max_bytes) + " bytes", std::to_string(text->size()));
  }
  return *text;
}

Result<uint64_t> JsonNode::Integer(uint64_t min, uint64_t max) const {
  const std::string expected =
      "an integer from " + std::to_string(min) + " to " + std::to_string(max);
  const auto* number = value_->get_ptr<const json::number_unsigned_t*>();
  if (number == nullptr) {
    return value_->is_number() ? Wrong(expected, value_->dump()) : WrongType(expected);
  }
  if (*number < min || *number > max) return Wrong(expected, std::to_string(*number));
  return *number;
}

Result<size_t> JsonNode::Size(size_t max) const {
  if (!value_->is_array()) return WrongType("an array");
  if (value_->size() > max) {
    return Wrong("at most " + std::to_string(max) + " elements", std::to_string(value_->size()));
  }
  return value_->size();
}

Status JsonNode::ForEach(size_t max, const std::function<Status(const JsonNode&)>& use) const {
  TRIMS_ASSIGN_OR_RETURN(const size_t size, Size(max));
  for (size_t i = 0; i < size; ++i) {
    TRIMS_RETURN_IF_ERROR(use(JsonNode((*value_)[i], where_ + "[" + std::to_string(i) + "]")));
  }
  return Status();
}

}  // namespace trims
