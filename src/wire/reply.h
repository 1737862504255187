// Reply: what the daemon answers, as plain values, and its way to and from the bytes of a frame.
//
//     ReplyEncoder encoder;  // one for the whole event loop
//     TRIMS_RETURN_IF_ERROR(SendFrame(socket, encoder.Error(request.id, status), {}));
//
//     Reply reply;  // at the other end
//     TRIMS_RETURN_IF_ERROR(DecodeReply(frame.bytes, &reply));
//     if (const auto* open = std::get_if<OpenReply>(&reply.body)) Map(*open, frame.fds);
//
// Ownership: a decoded Reply views the frame's bytes and ends with them. Bytes may come from
// anybody, as for Request. Thread-safety: values; an encoder belongs to one thread at a time.
#ifndef TRIMS_WIRE_REPLY_H_
#define TRIMS_WIRE_REPLY_H_

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
  Pages pages = Pages::kSmall;
  HandleKind kind = HandleKind::kHostMemory;  // as it came: maybe of a later release

  friend bool operator==(const ExtentInfo&, const ExtentInfo&) = default;
};

// `length` bytes of an extent's descriptor, from `offset` on.
struct RunInfo {
  uint32_t extent = 0;  // which of those of the reply
  uint64_t offset = 0;
  uint64_t length = 0;

  friend bool operator==(const RunInfo&, const RunInfo&) = default;
};

// Descriptors that come with it: the index, then one an extent, in order.
struct OpenReply {
  uint64_t lease = 0;
  std::string_view reference;  // fully resolved
  std::string_view digest;
  Variant variant = Variant::kFiles;
  std::string_view variant_key;
  uint64_t index_length = 0;
  std::span<const ExtentInfo> extents;
  bool hit = false;
  uint64_t waited_us = 0;
  std::string_view tier;    // where it is
  std::string_view device;  // whose memory that is; empty: no device's
  std::string_view device_uuid;
  std::span<const uint64_t> lengths = {};  // with runs: the extents of the range
  std::span<const RunInfo> runs = {};  // what those are put together of; none: `extents` are they
};

// Precedes the reply to an open that named no deadline and waits: by when that one comes.
struct WaitingReply {
  uint32_t deadline_ms = 0;
};

// Descriptor that comes with it: a sealed memfd of `length` bytes of JSON.
struct DocumentReply {
  uint64_t length = 0;
};

// Precedes the last reply to a long request, or to an open that waits and asked for it, any number of
// times.
struct ProgressReply {
  std::string_view stage;  // of an open: the tier that is being filled
  uint64_t done = 0;
  uint64_t total = 0;
  uint64_t bytes_per_second = 0;  // of an open; 0: not known
};

// Move-only: a decoded OpenReply's spans are views of what is beside it, which a copy would leave behind.
struct Reply {
  Reply() = default;
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = default;

  uint64_t id = 0;  // of the request; 0 where the daemon could not read it
  std::variant<OpenReply, DocumentReply, ProgressReply, WaitingReply, Status> body;
  std::vector<ExtentInfo> extents;
  std::vector<uint64_t> lengths;
  std::vector<RunInfo> runs;
};

// INVALID_ARGUMENT: no reply, or beyond a limit. UNIMPLEMENTED: another protocol version. Sets
// `reply` only on success.
Status DecodeReply(std::span<const std::byte> frame, Reply* reply);

// Keeps its buffer, so that encoding allocates nothing once it is warm. The bytes end with the next
// call or the encoder; they are never more than kMaxFrameBytes (texts are cut where they would be).
class ReplyEncoder {
 public:
  ReplyEncoder();
  ~ReplyEncoder();
  ReplyEncoder(ReplyEncoder&&) noexcept;
  ReplyEncoder& operator=(ReplyEncoder&&) noexcept;

  std::span<const std::byte> Open(uint64_t id, const OpenReply& reply);
  std::span<const std::byte> Document(uint64_t id, const DocumentReply& reply);
  std::span<const std::byte> Progress(uint64_t id, const ProgressReply& reply);
  std::span<const std::byte> Waiting(uint64_t id, const WaitingReply& reply);
  std::span<const std::byte> Error(uint64_t id, const Status& status);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims::wire

#endif  // TRIMS_WIRE_REPLY_H_
