#include "device/device_server.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/macros.h"
#include "base/unique_fd.h"
#include "device/device_protocol.h"

namespace trims {
namespace {

void PutStatus(const Status& status, DeviceReply* reply) {
  reply->code = static_cast<uint32_t>(status.code());
  PutText(status.message(), reply->message);
  PutText(status.hint(), reply->hint);
}

// Of a kind of object that the peer names by numbers.
template <typename Object>
class Objects {
 public:
  uint64_t Add(std::unique_ptr<Object> object) {
    objects_.emplace(++last_, std::move(object));
    return last_;
  }
  Result<Object*> Find(uint64_t number) const {
    const auto found = objects_.find(number);
    if (found != objects_.end()) return found->second.get();
    return Status(StatusCode::kInvalidArgument, "there is no object " + std::to_string(number));
  }
  Status Remove(uint64_t number) {
    TRIMS_RETURN_IF_ERROR(Find(number).status());
    objects_.erase(number);
    return Status();
  }

 private:
  uint64_t last_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<Object>> objects_;
};

class DeviceServer {
 public:
  explicit DeviceServer(Device* device) : device_(*device) {}

  WithFd<DeviceReply> Answer(const WithFd<DeviceRequest>& asked) {
    WithFd<DeviceReply> answer;
    const Status status = Do(asked, &answer);
    PutStatus(status, &answer.message);
    return answer;
  }

 private:
  Status Do(const WithFd<DeviceRequest>& asked, WithFd<DeviceReply>* answer) {
    const DeviceRequest& request = asked.message;
    switch (request.op) {
      case DeviceOp::kInfo:
        return Info(&answer->message);
      case DeviceOp::kAttach:
        return Attach(asked, &answer->message);
      case DeviceOp::kDetach:
        return attached_.Remove(request.object);
      case DeviceOp::kAllocate:
        return Allocate(request, &answer->message);
      case DeviceOp::kCopy:
        return Copy(request);
      case DeviceOp::kExport:
        return Export(request, &answer->fd);
      case DeviceOp::kFree:
        return memories_.Remove(request.object);
    }
    return Status(StatusCode::kInvalidArgument,
                  "request " + std::to_string(static_cast<uint32_t>(request.op)) + " is none");
  }

  Status Info(DeviceReply* reply) const {
    const DeviceInfo& info = device_.info();
    PutText(info.name, reply->name);
    PutText(info.uuid, reply->uuid);
    PutText(info.copies, reply->copies);
    reply->memory = static_cast<uint32_t>(info.memory);
    reply->peers_first = info.peers_first ? 1 : 0;
    reply->capacity = info.capacity;
    reply->granularity = info.granularity;
    return Status();
  }

  Status Attach(const WithFd<DeviceRequest>& asked, DeviceReply* reply) {
    if (!asked.fd) return Status(StatusCode::kInvalidArgument, "attach without a descriptor");
    const int fd = asked.fd.get();
    const uint64_t length = asked.message.length;
    const std::string peer = TextOf(asked.message.label);
    TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CopySource> bytes,
                           peer.empty() ? device_.AttachFor(asked.message.wanted, fd, length)
                                        : device_.AttachPeer(fd, length, peer));
    if (const Status detour = bytes->detour(); !detour.ok())
      PutText(detour.ToString(), reply->detour);
    reply->object = attached_.Add(std::move(bytes));
    return Status();
  }

  Status Allocate(const DeviceRequest& request, DeviceReply* reply) {
    TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<DeviceMemory> memory,
                           device_.Allocate(TextOf(request.label), request.length));
    reply->object = memories_.Add(std::move(memory));
    return Status();
  }

  Status Copy(const DeviceRequest& request) {
    TRIMS_ASSIGN_OR_RETURN(DeviceMemory* const memory, memories_.Find(request.object));
    TRIMS_ASSIGN_OR_RETURN(const CopySource* const from, attached_.Find(request.from));
    return memory->CopySpanIn(
        *from, {.from = request.from_offset, .to = request.offset, .length = request.length});
  }

  Status Export(const DeviceRequest& request, UniqueFd* fd) {
    TRIMS_ASSIGN_OR_RETURN(DeviceMemory* const memory, memories_.Find(request.object));
    TRIMS_ASSIGN_OR_RETURN(*fd, memory->Export());
    return Status();
  }

  Device& device_;
  Objects<CopySource> attached_;
  Objects<DeviceMemory> memories_;
};

}  // namespace

Status RefuseDevice(int socket, const Status& why) {
  TRIMS_RETURN_IF_ERROR(ReceiveRequest(socket).status());
  DeviceReply reply;
  PutStatus(why, &reply);
  return SendMessage(socket, reply, -1);
}

Status ServeDevice(int socket, Device* device) {
  DeviceServer server(device);
  while (true) {
    const Result<WithFd<DeviceRequest>> asked = ReceiveRequest(socket);
    if (asked.status().code() == StatusCode::kUnavailable) return Status();
    TRIMS_RETURN_IF_ERROR(asked.status());
    const WithFd<DeviceReply> answer = server.Answer(*asked);
    const Status sent = SendMessage(socket, answer.message, answer.fd ? answer.fd.get() : -1);
    if (sent.code() == StatusCode::kUnavailable) return Status();
    TRIMS_RETURN_IF_ERROR(sent);
  }
}

}  // namespace trims
