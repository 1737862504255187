// The bare server's protocol: the least that can pass descriptors for a request frame.
//
// A request frame starts with a BareRequest and is padded to the length of the frame that TrIMS
// would send for the same open; the reply is `reply_bytes` of zeros with `descriptors` descriptors,
// an index-sized memfd first and then extent-sized ones. There is nothing else: no names, no
// leases, no checks beyond bounds. It is the reference that opens of TrIMS are measured beside.
#ifndef TRIMS_BENCH_BARE_PROTOCOL_H_
#define TRIMS_BENCH_BARE_PROTOCOL_H_

#include <cstddef>
#include <cstdint>

namespace trims::bench {

struct BareRequest {
  uint32_t descriptors = 0;
  uint32_t reply_bytes = 0;
};

inline constexpr size_t kMaxBareFrame = 64 * 1024;
inline constexpr size_t kMaxBareDescriptors = 250;

}  // namespace trims::bench

#endif  // TRIMS_BENCH_BARE_PROTOCOL_H_
