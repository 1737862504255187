// What a client may send. A request that decodes must decode to the same after it was encoded again.
#include <cstdint>
#include <cstdlib>

#include "wire/request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using trims::wire::Request;
  Request request;
  if (!trims::wire::DecodeRequest(std::as_bytes(std::span(data, size)), &request).ok()) return 0;
  trims::wire::RequestEncoder encoder;
  Request again;
  if (!trims::wire::DecodeRequest(encoder.Encode(request), &again).ok()) std::abort();
  if (again.id != request.id || again.client != request.client ||
      again.body.index() != request.body.index())
    std::abort();
  return 0;
}
