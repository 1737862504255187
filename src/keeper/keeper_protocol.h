// What trimsd and trims-keeper say to each other: one struct each way in a SOCK_SEQPACKET frame, with the
// descriptors that it is about.
//
// The daemon of a later release meets the keeper that an earlier one started, so a bump of the version costs the
// users a cold start: only what comes without it may change. Thread-safety: values.
#ifndef TRIMS_KEEPER_KEEPER_PROTOCOL_H_
#define TRIMS_KEEPER_KEEPER_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "trims/status.h"

#include "wire/fixed_message.h"
#include "wire/protocol.h"

namespace trims {

inline constexpr uint32_t kKeeperProtocolVersion = 1;

// A label is the SHA-256 of an image's key: 64 lower-case hexadecimal digits.
inline constexpr size_t kLabelDigits = 64;

// What one keeper holds at most.
inline constexpr size_t kMaxKeptSegments = 4096;
inline constexpr size_t kMaxKeptDescriptors = 16384;

enum class KeeperOp : uint32_t {
  kHello,  // the first; number: for how many milliseconds to keep after the hang-up → number: of segments
  kKeep,  // label, descriptors
  kDrop,  // label
  kShow,  // number: which, from 0, in the order of the labels → label, descriptors
  kEnd,   // drops all, and ends the keeper
};

struct KeeperRequest {
  uint32_t version = kKeeperProtocolVersion;
  KeeperOp op = KeeperOp::kHello;
  uint64_t number = 0;
  char label[kLabelDigits + 1] = {};
};

struct KeeperReply {
  uint32_t version = kKeeperProtocolVersion;
  uint32_t code = 0;  // StatusCode
  uint64_t number = 0;
  char label[kLabelDigits + 1] = {};
  char message[256] = {};
};

static_assert(std::is_trivially_copyable_v<KeeperRequest>);
static_assert(std::is_trivially_copyable_v<KeeperReply>);

// Errors as those of wire/fixed_message.h; more than the descriptors of one frame are INVALID_ARGUMENT.
Result<wire::FixedMessage<KeeperRequest>> ReceiveKeeperRequest(int socket);
Result<wire::FixedMessage<KeeperReply>> ReceiveKeeperReply(int socket, int deadline_ms);

// INVALID_ARGUMENT: no label.
Status CheckLabel(std::string_view label);

}  // namespace trims

#endif  // TRIMS_KEEPER_KEEPER_PROTOCOL_H_
