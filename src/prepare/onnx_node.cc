#include "prepare/onnx_node.h"

#include <bit>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "format/onnx_fields.h"
#include "prepare/protobuf_writer.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this format

constexpr size_t kMaxNodeText = size_t{1} << 20;

// AttributeProto.AttributeType
constexpr uint64_t kIsFloat = 1, kIsInt = 2, kIsString = 3, kIsInts = 7;

struct AttributeParts {
  std::string name;
  std::optional<int64_t> i;
  std::optional<float> f;
  std::optional<std::string> s;
};

Status ReadAttribute(ProtobufWindow& window, FileRange message, OnnxNode* node) {
  AttributeParts parts;
  TRIMS_RETURN_IF_ERROR(ForEachField(window, message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case kAttributeName: {
        TRIMS_ASSIGN_OR_RETURN(parts.name, window.StringAt(field.payload, kMaxNodeText));
        break;
      }
      case kAttributeString: {
        TRIMS_ASSIGN_OR_RETURN(parts.s.emplace(), window.StringAt(field.payload, kMaxNodeText));
        break;
      }
      case kAttributeInt:
        parts.i = static_cast<int64_t>(field.value);
        break;
      case kAttributeFloat:
        parts.f = std::bit_cast<float>(static_cast<uint32_t>(field.value));
        break;
      case kAttributeGraph:
      case kAttributeGraphs:
        node->holds_graphs = true;
        break;
      default:
        break;
    }
    return Status();
  }));
  if (parts.i) node->ints[parts.name] = *parts.i;
  if (parts.f) node->floats[parts.name] = *parts.f;
  if (parts.s) node->strings[parts.name] = *std::move(parts.s);
  return Status();
}

template <typename Write>
void AddAttribute(const std::string& name, uint64_t type, const Write& write,
                  ProtobufWriter* node) {
  ProtobufWriter attribute;
  attribute.Bytes(kAttributeName, name);
  write(attribute);
  attribute.Int(kAttributeType, type);
  node->Bytes(kNodeAttribute, attribute.message());
}

template <typename Value>
Value Found(const std::map<std::string, Value>& values, const std::string& name, Value otherwise) {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second;
}

}  // namespace

int64_t OnnxNode::Int(const std::string& attribute, int64_t otherwise) const {
  return Found(ints, attribute, otherwise);
}

float OnnxNode::Float(const std::string& attribute, float otherwise) const {
  return Found(floats, attribute, otherwise);
}

std::string OnnxNode::String(const std::string& attribute) const {
  return Found(strings, attribute, std::string());
}

std::string OnnxNode::ToMessage() const {
  ProtobufWriter node;
  for (const std::string& input : inputs) node.Bytes(kNodeInput, input);
  for (const std::string& output : outputs) node.Bytes(kNodeOutput, output);
  node.Bytes(kNodeName, name);
  node.Bytes(kNodeOpType, op);
  if (!domain.empty()) node.Bytes(kNodeDomain, domain);
  for (const auto& [key, value] : ints) {
    AddAttribute(
        key, kIsInt, [&](auto& out) { out.Int(kAttributeInt, static_cast<uint64_t>(value)); },
        &node);
  }
  for (const auto& [key, value] : floats) {
    AddAttribute(
        key, kIsFloat,
        [&](auto& out) {
          out.Fixed(kAttributeFloat, WireType::kFixed32, std::bit_cast<uint32_t>(value));
        },
        &node);
  }
  for (const auto& [key, value] : strings) {
    AddAttribute(
        key, kIsString, [&](auto& out) { out.Bytes(kAttributeString, value); }, &node);
  }
  for (const auto& [key, values] : int_lists) {
    AddAttribute(
        key, kIsInts,
        [&](auto& out) {
          for (const int64_t value : values) out.Int(kAttributeInts, static_cast<uint64_t>(value));
        },
        &node);
  }
  return std::move(node).message();
}

Result<OnnxNode> ReadOnnxNode(ProtobufWindow& window, FileRange message) {
  OnnxNode node;
  const auto text = [&](const ProtobufField& field, std::string* to) -> Status {
    TRIMS_ASSIGN_OR_RETURN(*to, window.StringAt(field.payload, kMaxNodeText));
    return Status();
  };
  TRIMS_RETURN_IF_ERROR(ForEachField(window, message, [&](const ProtobufField& field) -> Status {
    if (!field.is_bytes()) return Status();
    switch (field.number) {
      case kNodeInput:
        return text(field, &node.inputs.emplace_back());
      case kNodeOutput:
        return text(field, &node.outputs.emplace_back());
      case kNodeName:
        return text(field, &node.name);
      case kNodeOpType:
        return text(field, &node.op);
      case kNodeDomain:
        return text(field, &node.domain);
      case kNodeAttribute:
        return ReadAttribute(window, field.payload, &node);
      default:
        return Status();
    }
  }));
  return node;
}

}  // namespace trims
