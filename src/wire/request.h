// Request: what a client asks, as plain values, and its way to and from the bytes of a frame.
//
//     RequestEncoder encoder;
//     const Request asked{.id = 1, .client = "ocr", .body = OpenRequest{.reference = "ocr"}};
//     TRIMS_RETURN_IF_ERROR(SendFrame(socket, encoder.Encode(asked), {}));
//
//     Request request;  // at the other end
//     TRIMS_RETURN_IF_ERROR(DecodeRequest(frame.bytes, &request));
//     if (const auto* open = std::get_if<OpenRequest>(&request.body)) Serve(request.id, *open);
//
// The messages of the schema (wire/messages.fbs) have the same names, in trims::wire::fb, which
// nobody but the codec sees.
//
// Ownership: a decoded Request views the frame's bytes and ends with them. Bytes may come from
// anybody: every limit of wire/protocol.h is enforced by DecodeRequest, so its caller needs no
// further length check. Thread-safety: values; an encoder belongs to one thread at a time.
#ifndef TRIMS_WIRE_REQUEST_H_
#define TRIMS_WIRE_REQUEST_H_

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

struct OpenRequest {
  std::string_view reference;
  Variant variant = Variant::kFiles;
  std::string_view variant_key;       // empty: any
  uint32_t deadline_ms = 0;           // 0: the daemon's default
  std::string_view tier;              // empty: the host's
  bool progress = false;              // whether it is told how far the load is that it waits for
  std::string_view traceparent = {};  // empty: none
  bool runs = false;                  // whether it can map what is put together of runs
};

// One way: never answered.
struct CloseRequest {
  uint64_t lease = 0;
};

struct AddRequest {
  std::string_view reference;
  std::string_view source;
  std::vector<Variant> variants;  // empty: all that the format allows
  std::string_view precision = {};
  std::vector<std::string_view> onnxruntime_extensions = {};
  uint32_t keep_versions = 0;  // this and the next 0: all
  uint32_t keep_for_s = 0;
  std::string_view granularity = {};  // "model" or "block"; empty: the daemon's default
};

struct RemoveRequest {
  std::string_view reference;
};
struct ListRequest {};
struct ShowRequest {
  std::string_view reference;
};
struct StatusRequest {};
struct VerifyRequest {
  std::string_view reference;     // empty: all models
  uint64_t bytes_per_second = 0;  // 0: as fast as it goes
};

struct PushRequest {
  std::string_view reference;
  std::string_view destination;
};

// One way: never answered. Ends an open, whether it still waits or has been answered meanwhile.
struct CancelRequest {
  uint64_t request = 0;  // its id
};

// What is empty stays as it is; with all of them empty it only asks.
struct PolicyRequest {
  std::string_view tier;  // empty: the host's memory
  std::string_view eviction;
  std::string_view admission;
  std::string_view reclaim;
  std::string_view budget = {};
  std::string_view quota = {};
};

enum class ControlVerb : uint8_t {
  kPin,
  kUnpin,
  kPrefetch,
  kEvict,
  kDrain,
  kUndrain,
  kListAliases,
  kSetAlias,
  kDeleteAlias,
  kRollback,
  kExplain,
  kDemote,
  kKeepAlive
};

// What a verb is not about is empty.
struct ControlRequest {
  ControlVerb verb = ControlVerb::kPin;
  std::string_view reference = {};
  std::string_view alias = {};
  std::string_view tier = {};          // empty: the host's memory
  std::vector<Variant> variants = {};  // empty: those that the verb is about by itself
  bool wait = false;
  bool when_idle = false;
  std::string_view keep_alive = {};
};

// See the schema.
struct EventsRequest {
  std::optional<uint64_t> since = {};
  std::optional<uint64_t> opens_since = {};
  std::vector<std::string_view> kinds = {};
  bool opens = false;
  std::string_view model = {};  // empty: any
  uint32_t wait_ms = 0;
};

using RequestBody = std::variant<OpenRequest, CloseRequest, AddRequest, RemoveRequest, ListRequest,
                                 ShowRequest, StatusRequest, VerifyRequest, PushRequest,
                                 CancelRequest, PolicyRequest, ControlRequest, EventsRequest>;

struct Request {
  uint64_t id = 0;
  std::optional<std::string_view> client;  // the hello: in the first frame of a connection
  RequestBody body;
};

// INVALID_ARGUMENT: not 1 to kMaxTierBytes of a-z, 0-9 and ':'.
Status CheckTierName(std::string_view name);

// INVALID_ARGUMENT: no request, or beyond a limit. UNIMPLEMENTED: another protocol version, or a
// request this build does not know. On failure only request->id is set: the request's id, or 0
// where even that can't be read.
Status DecodeRequest(std::span<const std::byte> frame, Request* request);

// Keeps its buffer, so that encoding allocates nothing once it is warm.
class RequestEncoder {
 public:
  RequestEncoder();
  ~RequestEncoder();
  RequestEncoder(RequestEncoder&&) noexcept;
  RequestEncoder& operator=(RequestEncoder&&) noexcept;

  // The bytes end with the next call or the encoder. Limits are the receiver's to enforce.
  std::span<const std::byte> Encode(const Request& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims::wire

#endif  // TRIMS_WIRE_REQUEST_H_
