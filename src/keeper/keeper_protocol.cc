#include "keeper/keeper_protocol.h"

#include <algorithm>
#include <string>

#include "base/macros.h"

namespace trims {
namespace {

constexpr char kBoth[] = "trimsd and trims-keeper";

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

Result<wire::FixedMessage<KeeperRequest>> ReceiveKeeperRequest(int socket) {
  return wire::ReceiveFixed<KeeperRequest>(socket, kKeeperProtocolVersion, wire::kMaxFramedFds,
                                           kBoth);
}

Result<wire::FixedMessage<KeeperReply>> ReceiveKeeperReply(int socket, int deadline_ms) {
  TRIMS_RETURN_IF_ERROR(wire::WaitReadable(socket, deadline_ms));
  return wire::ReceiveFixed<KeeperReply>(socket, kKeeperProtocolVersion, wire::kMaxFramedFds,
                                         kBoth);
}

Status CheckLabel(std::string_view label) {
  if (label.size() == kLabelDigits && std::all_of(label.begin(), label.end(), IsHexDigit))
    return Status();
  return Status(StatusCode::kInvalidArgument,
                "a label of " + std::to_string(label.size()) + " bytes: expected " +
                    std::to_string(kLabelDigits) + " lower-case hexadecimal digits");
}

}  // namespace trims
