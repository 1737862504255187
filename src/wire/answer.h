// Answer: a reply as plain values, and its way to and from the bytes of a frame.
//
//   AnswerEncoder encoder;                                   // one for the whole event loop
//   SendFrame(socket, encoder.Error(call.id, status), {});
//   …
//   Answer answer;
//   TRIMS_RETURN_IF_ERROR(DecodeAnswer(frame.bytes, &answer));
//   if (const auto* open = std::get_if<OpenAnswer>(&answer.body)) …
//
// Ownership: a decoded Answer views the frame's bytes and ends with them. Bytes may come from
// anybody, as for Call. Thread-safety: values; an encoder belongs to one thread at a time.
#ifndef TRIMS_WIRE_ANSWER_H_
#define TRIMS_WIRE_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

namespace trims::wire {

struct ExtentInfo {
  uint64_t length = 0;
  trims::Pages pages = trims::Pages::kSmall;

  friend bool operator==(const ExtentInfo&, const ExtentInfo&) = default;
};

// Descriptors that come with it: the index, then one an extent, in order.
struct OpenAnswer {
  uint64_t lease = 0;
  std::string_view reference;  // fully resolved
  std::string_view digest;
  trims::Variant variant = trims::Variant::kFiles;
  std::string_view variant_key;
  uint64_t index_length = 0;
  std::span<const ExtentInfo> extents;
  bool hit = false;
  uint64_t waited_us = 0;
};

// Descriptor that comes with it: a sealed memfd of `length` bytes of JSON.
struct DocumentAnswer {
  uint64_t length = 0;
};

// Precedes the last answer to a long call, any number of times.
struct ProgressAnswer {
  std::string_view stage;
  uint64_t done = 0;
  uint64_t total = 0;
};

// Move-only in spirit: a decoded OpenAnswer's extents are a view of `extents`.
struct Answer {
  Answer() = default;
  Answer(Answer&&) = default;
  Answer& operator=(Answer&&) = default;

  uint64_t id = 0;  // of the call; 0 where the daemon could not read it
  std::variant<OpenAnswer, DocumentAnswer, ProgressAnswer, Status> body;
  std::vector<ExtentInfo> extents;
};

// INVALID_ARGUMENT: no reply, or beyond a limit. UNIMPLEMENTED: another protocol version. Sets
// `answer` only on success.
Status DecodeAnswer(std::span<const std::byte> frame, Answer* answer);

// Keeps its buffer, so that encoding allocates nothing once it is warm. The bytes end with the next
// call or the encoder; they are never more than kMaxFrameBytes (texts are cut where they would be).
class AnswerEncoder {
 public:
  AnswerEncoder();
  ~AnswerEncoder();
  AnswerEncoder(AnswerEncoder&&) noexcept;
  AnswerEncoder& operator=(AnswerEncoder&&) noexcept;

  std::span<const std::byte> Open(uint64_t id, const OpenAnswer& answer);
  std::span<const std::byte> Document(uint64_t id, const DocumentAnswer& answer);
  std::span<const std::byte> Progress(uint64_t id, const ProgressAnswer& answer);
  std::span<const std::byte> Error(uint64_t id, const Status& status);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims::wire

#endif  // TRIMS_WIRE_ANSWER_H_
