// The examples of src/wire/ and src/client/.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "trims/client.h"

#include "base/macros.h"
#include "base/mapping.h"
#include "base/unique_fd.h"
#include "client/autostart.h"
#include "client/device_range.h"
#include "wire/channel.h"
#include "wire/fixed_message.h"
#include "wire/index_reader.h"
#include "wire/range_layout.h"
#include "wire/reply.h"
#include "wire/request.h"

namespace trims::wire {
namespace {

void Map(const OpenReply&, const std::vector<UniqueFd>&) {}
void Serve(uint64_t, const OpenRequest&) {}
Status NoSuchTensor(const char* name) { return Status(StatusCode::kNotFound, name); }

Status ReplyExample(int socket, const Request& request, const Status& status, const Frame& frame) {
  // example: src/wire/reply.h
  ReplyEncoder encoder;  // one for the whole event loop
  TRIMS_RETURN_IF_ERROR(SendFrame(socket, encoder.Error(request.id, status), {}));

  Reply reply;  // at the other end
  TRIMS_RETURN_IF_ERROR(DecodeReply(frame.bytes, &reply));
  if (const auto* open = std::get_if<OpenReply>(&reply.body)) Map(*open, frame.fds);
  // end
  return {};
}

Status RequestExample(int socket, const Frame& frame) {
  // example: src/wire/request.h
  RequestEncoder encoder;
  const Request asked{.id = 1, .client = "ocr", .body = OpenRequest{.reference = "ocr"}};
  TRIMS_RETURN_IF_ERROR(SendFrame(socket, encoder.Encode(asked), {}));

  Request request;  // at the other end
  TRIMS_RETURN_IF_ERROR(DecodeRequest(frame.bytes, &request));
  if (const auto* open = std::get_if<OpenRequest>(&request.body)) Serve(request.id, *open);
  // end
  return {};
}

Status FixedMessageExample(int socket, std::span<const int> fds) {
  struct Answer {
    uint32_t version;
  };
  constexpr uint32_t kVersion = 1;
  const Answer request{};
  // example: src/wire/fixed_message.h
  TRIMS_RETURN_IF_ERROR(SendFixed(socket, request, fds));
  TRIMS_RETURN_IF_ERROR(WaitReadable(socket, 5000));
  TRIMS_ASSIGN_OR_RETURN(FixedMessage<Answer> answer,
                         ReceiveFixed<Answer>(socket, kVersion, 1, "trimsd and trims-x"));
  // end
  return {};
}

Status IndexReaderExample(const Mapping& mapping) {
  // example: src/wire/index_reader.h
  const IndexReader reader(mapping.bytes());
  TRIMS_ASSIGN_OR_RETURN(const index::Tensor* tensor, reader.FindTensor("weight"));
  if (tensor == nullptr) return NoSuchTensor("weight");
  // end
  return {};
}

void Place(uint64_t, uint64_t) {}
struct IndexTable {
  uint64_t length = 0;
};
Status RangeLayoutExample(const std::vector<uint64_t>& lengths, IndexTable& index) {
  // example: src/wire/range_layout.h
  RangeLayout layout;
  for (const uint64_t length : lengths) {
    TRIMS_ASSIGN_OR_RETURN(const uint64_t offset, layout.Append(length));
    Place(offset, length);
  }
  index.length = layout.length();
  // end
  return {};
}

}  // namespace
}  // namespace trims::wire

namespace trims {
namespace {

Status AutostartExample() {
  // example: src/client/autostart.h
  TRIMS_ASSIGN_OR_RETURN(std::string socket, EnsureDaemon());
  TRIMS_ASSIGN_OR_RETURN(Client client, Client::Connect({.socket_path = socket}));
  // end
  return {};
}

Result<std::byte*> DeviceRangeExample(const std::string& uuid, uint64_t length,
                                      std::span<const DeviceRange::Extent> extents) {
  // example: src/client/device_range.h
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<DeviceRange> range,
                         DeviceRange::Map(uuid, length, extents));
  // end
  return range->data();
}

}  // namespace
}  // namespace trims
