#include "prepare/protobuf_copy.h"

namespace trims {

Status CopyField(ProtobufWindow& window, const ProtobufField& field, ProtobufWriter* out) {
  if (field.type == WireType::kGroup) return Status();
  if (field.is_bytes()) {
    TRIMS_ASSIGN_OR_RETURN(const std::string bytes, window.StringAt(field.payload, kMaxGraphBytes));
    out->Bytes(field.number, bytes);
  } else if (field.type == WireType::kVarint) {
    out->Int(field.number, field.value);
  } else {
    out->Fixed(field.number, field.type, field.value);
  }
  return Status();
}

}  // namespace trims
