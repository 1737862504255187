// Call: a request as plain values, and its way to and from the bytes of a frame.
//
//   CallEncoder encoder;
//   SendFrame(socket, encoder.Encode({.id = 1, .client = "ocr", .body = OpenCall{.reference =
//   "ocr"}}), {}); … Call call; Status status = DecodeCall(frame.bytes, &call);   // on failure
//   answer call.id with `status`
//
// Ownership: a decoded Call views the frame's bytes and ends with them. Bytes may come from
// anybody: every limit of wire/protocol.h is enforced by DecodeCall, so its caller needs no further
// length check. Thread-safety: values; an encoder belongs to one thread at a time.
#ifndef TRIMS_WIRE_CALL_H_
#define TRIMS_WIRE_CALL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

namespace trims::wire {

struct OpenCall {
  std::string_view reference;
  trims::Variant variant = trims::Variant::kFiles;
  std::string_view variant_key;  // empty: any
  uint32_t deadline_ms = 0;      // 0: the daemon's default
};

// One way: never answered.
struct CloseCall {
  uint64_t lease = 0;
};

struct AddCall {
  std::string_view reference;
  std::string_view source;
  std::vector<trims::Variant> variants;  // empty: all that the format allows
};

struct RemoveCall {
  std::string_view reference;
};
struct ListCall {};
struct ShowCall {
  std::string_view reference;
};
struct StatusCall {};

using CallBody =
    std::variant<OpenCall, CloseCall, AddCall, RemoveCall, ListCall, ShowCall, StatusCall>;

struct Call {
  uint64_t id = 0;
  std::optional<std::string_view> client;  // the hello: in the first frame of a connection
  CallBody body;
};

// INVALID_ARGUMENT: no request, or beyond a limit. UNIMPLEMENTED: another protocol version, or a
// request this build does not know. On failure only call->id is set: the request's id, or 0 where
// even that can't be read.
Status DecodeCall(std::span<const std::byte> frame, Call* call);

// Keeps its buffer, so that encoding allocates nothing once it is warm.
class CallEncoder {
 public:
  CallEncoder();
  ~CallEncoder();
  CallEncoder(CallEncoder&&) noexcept;
  CallEncoder& operator=(CallEncoder&&) noexcept;

  // The bytes end with the next call or the encoder. Limits are the receiver's to enforce.
  std::span<const std::byte> Encode(const Call& call);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims::wire

#endif  // TRIMS_WIRE_CALL_H_
