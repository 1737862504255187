// What a client may send. A call that decodes must decode to the same after it was encoded again.
#include <cstdint>
#include <cstdlib>

#include "wire/call.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using trims::wire::Call;
  Call call;
  if (!trims::wire::DecodeCall(std::as_bytes(std::span(data, size)), &call).ok()) return 0;
  trims::wire::CallEncoder encoder;
  Call again;
  if (!trims::wire::DecodeCall(encoder.Encode(call), &again).ok()) std::abort();
  if (again.id != call.id || again.client != call.client || again.body.index() != call.body.index())
    std::abort();
  return 0;
}
