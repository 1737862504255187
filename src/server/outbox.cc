#include "server/outbox.h"

#include <utility>

#include "wire/channel.h"

namespace trims {
namespace {

bool IsFull(const Status& status) { return status.code() == StatusCode::kDeadlineExceeded; }

}  // namespace

Status Outbox::Send(std::span<const std::byte> bytes, std::span<const int> fds,
                    std::optional<SealedExtent> document) {
  if (queue_.empty()) {
    Status sent = wire::SendFrame(socket_, bytes, fds);
    if (!IsFull(sent)) return sent;
  }
  queue_.push_back(Unsent{.bytes = {bytes.begin(), bytes.end()},
                          .fds = {fds.begin(), fds.end()},
                          .document = std::move(document)});
  return Status();
}

Status Outbox::Offer(std::span<const std::byte> bytes) {
  if (!queue_.empty()) return Status();
  const Status sent = wire::SendFrame(socket_, bytes, {});
  return IsFull(sent) ? Status() : sent;
}

Status Outbox::Flush(bool* progress) {
  *progress = false;
  while (!queue_.empty()) {
    const Unsent& next = queue_.front();
    Status sent = wire::SendFrame(socket_, next.bytes, next.fds);
    if (IsFull(sent)) return Status();
    if (!sent.ok()) return sent;
    *progress = true;
    queue_.pop_front();
  }
  return Status();
}

}  // namespace trims
