#include "keeper/keeper_server.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/errno_status.h"
#include "base/fixed_text.h"
#include "base/macros.h"
#include "base/seals.h"
#include "base/sys.h"
#include "base/unique_fd.h"
#include "keeper/keeper_protocol.h"
#include "wire/principal.h"

namespace trims {
namespace {

using std::chrono::milliseconds;

// What is kept, by label.
class KeptSegments {
 public:
  // Takes the place of what had that label.
  Status Keep(const std::string& label, std::vector<UniqueFd> fds) {
    TRIMS_RETURN_IF_ERROR(CheckLabel(label));
    if (fds.empty()) return Status(StatusCode::kInvalidArgument, "a segment without descriptors");
    for (const UniqueFd& fd : fds) TRIMS_RETURN_IF_ERROR(CheckSealed(fd.get()));
    const bool is_new = !segments_.contains(label);
    const size_t descriptors = descriptors_ - CountOf(label) + fds.size();
    if (segments_.size() + is_new > kMaxKeptSegments || descriptors > kMaxKeptDescriptors) {
      return Status(StatusCode::kResourceExhausted,
                    "the keeper holds " + std::to_string(segments_.size()) + " segments with " +
                        std::to_string(descriptors_) + " descriptors: at most " +
                        std::to_string(kMaxKeptSegments) + " with " +
                        std::to_string(kMaxKeptDescriptors));
    }
    segments_[label] = std::move(fds);
    descriptors_ = descriptors;
    return Status();
  }

  // What isn't there is dropped already.
  void Drop(const std::string& label) {
    descriptors_ -= CountOf(label);
    segments_.erase(label);
  }

  // In the order of the labels.
  Status Show(uint64_t number, std::string* label, std::vector<int>* fds) const {
    if (number >= segments_.size())
      return Status(StatusCode::kNotFound, "there is no segment " + std::to_string(number));
    const auto& [found, kept] = *std::next(segments_.begin(), static_cast<ptrdiff_t>(number));
    *label = found;
    for (const UniqueFd& fd : kept) fds->push_back(fd.get());
    return Status();
  }

  size_t size() const { return segments_.size(); }

 private:
  size_t CountOf(const std::string& label) const {
    const auto found = segments_.find(label);
    return found == segments_.end() ? 0 : found->second.size();
  }

  std::map<std::string, std::vector<UniqueFd>> segments_;
  size_t descriptors_ = 0;
};

class KeeperServer {
 public:
  KeeperServer(int listening, milliseconds patience)
      : listening_(listening), patience_(patience), keep_for_(patience) {}

  Status Run() {
    for (bool first = true; first || kept_.size() > 0; first = false) {
      TRIMS_ASSIGN_OR_RETURN(const std::optional<UniqueFd> daemon, AwaitDaemon());
      if (!daemon) return Status();
      Serve(daemon->get());
      if (ended_) return Status();
    }
    return Status();
  }

 private:
  // Nothing once it has been too long.
  Result<std::optional<UniqueFd>> AwaitDaemon() const {
    const TimePoint end = clock_.Now() + keep_for_;
    while (true) {
      const auto left = std::chrono::ceil<milliseconds>(end - clock_.Now()).count();
      if (left <= 0) return std::optional<UniqueFd>();
      const Status waited =
          wire::WaitReadable(listening_, static_cast<int>(std::min<int64_t>(left, INT_MAX)));
      if (waited.code() == StatusCode::kDeadlineExceeded) continue;
      TRIMS_RETURN_IF_ERROR(waited);
      UniqueFd socket = sys::Accept(listening_);
      if (!socket && errno != EAGAIN && errno != ECONNABORTED)
        return ErrnoStatus("accepting a daemon");
      if (socket && IsOfThisUser(socket.get())) return std::optional<UniqueFd>(std::move(socket));
    }
  }

  static bool IsOfThisUser(int socket) {
    const Result<wire::Principal> peer = wire::PeerOf(socket);
    return peer.ok() && peer->uid == ::geteuid();
  }

  // Until it hangs up, or says what can't be understood.
  void Serve(int daemon) {
    int patience = static_cast<int>(patience_.count());
    for (bool greeted = false; !ended_; greeted = true, patience = -1) {
      if (!wire::WaitReadable(daemon, patience).ok()) return;
      Result<wire::FixedMessage<KeeperRequest>> asked = ReceiveKeeperRequest(daemon);
      if (!asked.ok()) return;
      if (!greeted && asked->message.op != KeeperOp::kHello) return;
      KeeperReply reply;
      std::vector<int> fds;
      const Status status = Do(asked->message, std::move(asked->fds), &reply, &fds);
      reply.code = static_cast<uint32_t>(status.code());
      PutText(status.message(), reply.message);
      if (!wire::SendFixed(daemon, reply, fds).ok()) return;
    }
  }

  Status Do(const KeeperRequest& request, std::vector<UniqueFd> fds, KeeperReply* reply,
            std::vector<int>* shown) {
    if (!fds.empty() && request.op != KeeperOp::kKeep)
      return Status(StatusCode::kInvalidArgument, "descriptors that were not asked for");
    const std::string label = TextOf(request.label);
    switch (request.op) {
      case KeeperOp::kHello:
        keep_for_ = milliseconds(std::min<uint64_t>(request.number, INT_MAX));
        reply->number = kept_.size();
        return Status();
      case KeeperOp::kKeep:
        return kept_.Keep(label, std::move(fds));
      case KeeperOp::kDrop:
        kept_.Drop(label);
        return Status();
      case KeeperOp::kShow: {
        std::string found;
        TRIMS_RETURN_IF_ERROR(kept_.Show(request.number, &found, shown));
        PutText(found, reply->label);
        return Status();
      }
      case KeeperOp::kEnd:
        kept_ = KeptSegments();
        ended_ = true;
        return Status();
    }
    return Status(StatusCode::kInvalidArgument,
                  "request " + std::to_string(static_cast<uint32_t>(request.op)) + " is none");
  }

  const int listening_;
  const milliseconds patience_;
  const SteadyClock clock_;
  milliseconds keep_for_;
  KeptSegments kept_;
  bool ended_ = false;
};

}  // namespace

Status RunKeeper(int listening, milliseconds patience) {
  return KeeperServer(listening, patience).Run();
}

}  // namespace trims
