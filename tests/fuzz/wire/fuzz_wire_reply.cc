// What a daemon may reply.
#include <cstdint>
#include <cstdlib>

#include "wire/reply.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using trims::wire::OpenReply;
  using trims::wire::Reply;
  Reply reply;
  if (!trims::wire::DecodeReply(std::as_bytes(std::span(data, size)), &reply).ok()) return 0;
  const auto* open = std::get_if<OpenReply>(&reply.body);
  if (open == nullptr) return 0;
  trims::wire::ReplyEncoder encoder;
  Reply again;
  if (!trims::wire::DecodeReply(encoder.Open(reply.id, *open), &again).ok()) std::abort();
  if (again.extents != reply.extents) std::abort();
  return 0;
}
