#include "keeper/keeper_link.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fixed_text.h"
#include "base/macros.h"
#include "keeper/keeper_protocol.h"
#include "wire/channel.h"
#include "wire/principal.h"

namespace trims {
namespace {

constexpr int kPatienceMs = 5000;
// The daemon before may still be ending.
constexpr int kFirstPatienceMs = 10'000;
// For all that it holds.
constexpr std::chrono::seconds kHandoverPatience{10};

Status StatusOf(const KeeperReply& reply) {
  if (reply.code == 0) return Status();
  const bool known = reply.code <= static_cast<uint32_t>(StatusCode::kInternal);
  return Status(known ? static_cast<StatusCode>(reply.code) : StatusCode::kInternal,
                "trims-keeper: " + TextOf(reply.message));
}

Status CheckIsOurs(int socket) {
  TRIMS_ASSIGN_OR_RETURN(const wire::Principal peer, wire::PeerOf(socket));
  if (peer.uid == ::geteuid()) return Status();
  return Status(StatusCode::kPermissionDenied, "trims-keeper is run by uid " +
                                                   std::to_string(peer.uid) + ", expected uid " +
                                                   std::to_string(::geteuid()));
}

class KeeperLink final : public DescriptorKeeper {
 public:
  explicit KeeperLink(UniqueFd socket) : socket_(std::move(socket)) {}

  Status Greet(std::chrono::milliseconds keep_for) {
    TRIMS_ASSIGN_OR_RETURN(
        const Answer hello,
        Ask({.op = KeeperOp::kHello,
             .number = static_cast<uint64_t>(std::max<int64_t>(0, keep_for.count()))},
            {}, kFirstPatienceMs));
    held_ = hello.message.number;
    return Status();
  }

  std::string_view name() const override { return "process"; }

  Result<std::vector<KeptDescriptors>> TakeHeld() override {
    std::vector<KeptDescriptors> all;
    const uint64_t count = std::min<uint64_t>(std::exchange(held_, 0), kMaxKeptSegments);
    const SteadyClock clock;
    const TimePoint deadline = clock.Now() + kHandoverPatience;
    for (uint64_t number = 0; number < count; ++number) {
      if (clock.Now() > deadline) {
        return Status(StatusCode::kDeadlineExceeded,
                      "trims-keeper has handed over " + std::to_string(number) + " of " +
                          std::to_string(count) + " segments in " +
                          std::to_string(kHandoverPatience.count()) + " s");
      }
      TRIMS_ASSIGN_OR_RETURN(Answer shown, Ask({.op = KeeperOp::kShow, .number = number}));
      all.push_back({.label = TextOf(shown.message.label), .fds = std::move(shown.fds)});
    }
    return all;
  }

  Status Keep(const std::string& label, std::span<const int> fds) override {
    return Ask(About(KeeperOp::kKeep, label), fds).status();
  }
  Status Drop(const std::string& label) override {
    return Ask(About(KeeperOp::kDrop, label)).status();
  }
  Status End() override { return Ask({.op = KeeperOp::kEnd}).status(); }

 private:
  using Answer = wire::FixedMessage<KeeperReply>;

  static KeeperRequest About(KeeperOp op, const std::string& label) {
    KeeperRequest request{.op = op};
    PutText(label, request.label);
    return request;
  }

  Result<Answer> Ask(const KeeperRequest& request, std::span<const int> fds = {},
                     int patience_ms = kPatienceMs) {
    if (!socket_) return Status(StatusCode::kUnavailable, "trims-keeper has gone");
    Status status = wire::SendFixed(socket_.get(), request, fds);
    // What couldn't be sent as it was is no reason to give the keeper up.
    if (status.code() == StatusCode::kResourceExhausted) return status;
    if (status.ok()) {
      Result<Answer> answer = ReceiveKeeperReply(socket_.get(), patience_ms);
      if (answer.ok()) {
        TRIMS_RETURN_IF_ERROR(StatusOf(answer->message));
        return answer;
      }
      status = answer.status();
    }
    socket_.reset();  // what comes now might be the answer to what was asked before
    return status;
  }

  UniqueFd socket_;
  uint64_t held_ = 0;  // from before
};

}  // namespace

Result<std::unique_ptr<DescriptorKeeper>> ConnectToKeeper(const std::string& path,
                                                          std::chrono::milliseconds keep_for) {
  TRIMS_ASSIGN_OR_RETURN(UniqueFd socket, wire::ConnectTo(path));
  TRIMS_RETURN_IF_ERROR(CheckIsOurs(socket.get()));
  auto link = std::make_unique<KeeperLink>(std::move(socket));
  TRIMS_RETURN_IF_ERROR(link->Greet(keep_for));
  return std::unique_ptr<DescriptorKeeper>(std::move(link));
}

}  // namespace trims
