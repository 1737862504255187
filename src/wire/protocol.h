// Versions and limits of the control protocol. docs/wire.md explains them; the limits of models are
// in base/model_limits.h.
#ifndef TRIMS_WIRE_PROTOCOL_H_
#define TRIMS_WIRE_PROTOCOL_H_

#include <cstddef>
#include <cstdint>

namespace trims::wire {

// A bump makes every older client fail with UNIMPLEMENTED; adding fields or requests needs none.
// 2: an extent has a kind, which a client of version 1 would not look at.
inline constexpr uint16_t kProtocolVersion = 2;

// A bump makes every prepared variant on disk unreadable until it is prepared again.
inline constexpr uint16_t kIndexVersion = 1;

inline constexpr size_t kMaxFrameBytes = 64 * 1024;
inline constexpr size_t kMaxFramedFds = 250;  // the kernel takes 253 in one message
inline constexpr size_t kMaxExtents = kMaxFramedFds - 1;
inline constexpr size_t kMaxRuns = 2048;  // of a range that is put together: 24 bytes each
inline constexpr size_t kMaxReferenceBytes = 512;
inline constexpr size_t kMaxClientNameBytes = 128;  // longer ones are cut
inline constexpr size_t kMaxVariantKeyBytes = 512;
inline constexpr size_t kMaxTierBytes = 32;
inline constexpr size_t kMaxUuidBytes = 40;
inline constexpr size_t kMaxPrecisionBytes = 32;
inline constexpr size_t kMaxPolicyNameBytes = 64;
inline constexpr size_t kMaxQuotaBytes = 512;
inline constexpr size_t kMaxEventKinds = 32;  // that one request names
inline constexpr size_t kMaxEventKindBytes = 64;
inline constexpr uint32_t kMaxEventsWaitMs = 60'000;  // longer waits are cut
inline constexpr size_t kMaxExtensions = 8;           // libraries that one request names
inline constexpr size_t kMaxVariants = 8;             // kinds that one request asks for
inline constexpr size_t kMaxDigestBytes = 64;
inline constexpr size_t kMaxStageBytes = 128;
inline constexpr size_t kMaxErrorTextBytes =
    16 * 1024;  // message and hint, each; longer ones are cut
inline constexpr uint64_t kMaxDocumentBytes = uint64_t{256} << 20;

}  // namespace trims::wire

#endif  // TRIMS_WIRE_PROTOCOL_H_
