// CopyMessage: a message again, some of its fields in another way.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::string renamed,
//       CopyMessage(window, tensor, [&](const ProtobufField& field, ProtobufWriter& out) -> Result<bool> {
//         if (field.number != kTensorName) return false;  // as it was
//         out.Bytes(kTensorName, "another");
//         return true;
//       }));
//
// Thread-safety: one thread a window.
#ifndef TRIMS_PREPARE_PROTOBUF_COPY_H_
#define TRIMS_PREPARE_PROTOBUF_COPY_H_

#include <cstddef>
#include <string>
#include <utility>

#include "trims/status.h"

#include "base/macros.h"
#include "format/protobuf_reader.h"
#include "prepare/protobuf_writer.h"

namespace trims {

inline constexpr size_t kMaxGraphBytes = size_t{1900} << 20;  // a protocol buffer ends at 2 GiB

// Groups, which only unknown fields are, are left behind.
Status CopyField(ProtobufWindow& window, const ProtobufField& field, ProtobufWriter* out);

// `change` returns whether it has written the field, or left it out, in its own way.
template <typename Change>
Result<std::string> CopyMessage(ProtobufWindow& window, FileRange message, const Change& change) {
  ProtobufWriter out;
  out.Reserve(static_cast<size_t>(message.length()));
  TRIMS_RETURN_IF_ERROR(ForEachField(window, message, [&](const ProtobufField& field) -> Status {
    TRIMS_ASSIGN_OR_RETURN(const bool written, change(field, out));
    return written ? Status() : CopyField(window, field, &out);
  }));
  return std::move(out).message();
}

}  // namespace trims

#endif  // TRIMS_PREPARE_PROTOBUF_COPY_H_
