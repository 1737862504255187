#include "device/remote_device.h"

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <utility>

#include "base/child_process.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "device/device_protocol.h"

namespace trims {
namespace {

Status StatusOf(const DeviceReply& reply) {
  if (reply.code == 0) return Status();
  return Status(static_cast<StatusCode>(reply.code), TextOf(reply.message), TextOf(reply.hint));
}

// Which devices there are for a program, and where their driver's library is, the environment may say.
const std::vector<std::string>& KeptVariables() {
  static const auto& names =
      *new std::vector<std::string>{"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "LD_LIBRARY_PATH"};
  return names;
}

// One trims-device after the other, and the exchanges with it.
class DeviceProcess {
 public:
  explicit DeviceProcess(RemoteDeviceOptions options) : options_(std::move(options)) {}

  // Starts one, if there is none, or none any more. `generation` tells it from those before.
  Status Start(uint64_t* generation) {
    MutexLock lock(mutex_);
    if (child_ && HasEnded()) static_cast<void>(End(Status(StatusCode::kUnavailable, "it ended")));
    if (!child_) TRIMS_RETURN_IF_ERROR(Spawn());
    *generation = generation_;
    return Status();
  }

  // With the process of that generation. An error that is the device's is the reply's.
  Result<WithFd<DeviceReply>> Ask(uint64_t generation, const DeviceRequest& request, int fd = -1) {
    MutexLock lock(mutex_);
    if (!child_ || generation != generation_) return Gone("it was started anew");
    Status status = SendMessage(socket_.get(), request, fd);
    if (status.ok()) {
      Result<WithFd<DeviceReply>> reply =
          ReceiveReply(socket_.get(), static_cast<int>(options_.patience.count()));
      if (reply.ok()) {
        TRIMS_RETURN_IF_ERROR(StatusOf(reply->message));
        return reply;
      }
      status = reply.status();
    }
    // For want of descriptors, here or there: nothing is out of step, and the process has done nothing wrong.
    if (status.code() == StatusCode::kResourceExhausted) return status;
    return End(status);
  }

  // What that process has is given up.
  Status Stop(uint64_t generation, const std::string& why) {
    MutexLock lock(mutex_);
    if (child_ && generation == generation_) return End(Status(StatusCode::kUnavailable, why));
    return Gone(why);
  }

 private:
  Status Spawn() TRIMS_REQUIRES(mutex_) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
      return ErrnoStatus("making a socket for a device");
    UniqueFd ours(pair[0]);
    const UniqueFd theirs(pair[1]);
    TRIMS_ASSIGN_OR_RETURN(ChildProcess child,
                           ChildProcess::Spawn(options_.command, theirs.get(), KeptVariables()));
    child_.emplace(std::move(child));
    socket_ = std::move(ours);
    ++generation_;
    LogInfo("device.process", {{"program", options_.command.front()}, {"started", generation_}});
    return Status();
  }

  bool HasEnded() const TRIMS_REQUIRES(mutex_) {
    pollfd ended{.fd = child_->pidfd(), .events = POLLIN, .revents = 0};
    return ::poll(&ended, 1, 0) > 0;
  }

  // What it did not do, it will not: it may hang in its driver.
  Status End(const Status& why) TRIMS_REQUIRES(mutex_) {
    LogWarning("device.process_ended", {{"program", options_.command.front()}, {"error", why}});
    child_.reset();
    socket_.reset();
    return Gone(why.message());
  }

  Status Gone(const std::string& why) const {
    return Status(StatusCode::kUnavailable, "the device's process has ended: " + why,
                  "open it again: the process is started anew");
  }

  const RemoteDeviceOptions options_;
  Mutex mutex_;
  std::optional<ChildProcess> child_ TRIMS_GUARDED_BY(mutex_);
  UniqueFd socket_ TRIMS_GUARDED_BY(mutex_);
  uint64_t generation_ TRIMS_GUARDED_BY(mutex_) = 0;
};

// An object in a process.
class RemoteObject {
 public:
  RemoteObject(DeviceProcess* process, uint64_t generation, uint64_t object, DeviceOp end)
      : process_(*process), generation_(generation), object_(object), end_(end) {}
  RemoteObject(const RemoteObject&) = delete;
  RemoteObject& operator=(const RemoteObject&) = delete;
  // What the process took along needs no end.
  ~RemoteObject() { static_cast<void>(Ask({.op = end_, .object = object_})); }

  uint64_t object() const { return object_; }
  Result<WithFd<DeviceReply>> Ask(const DeviceRequest& request) const {
    return process_.Ask(generation_, request);
  }

 private:
  DeviceProcess& process_;
  const uint64_t generation_;
  const uint64_t object_;
  const DeviceOp end_;
};

class RemoteBytes final : public CopySource {
 public:
  RemoteBytes(DeviceProcess* process, uint64_t generation, uint64_t object)
      : remote_(process, generation, object, DeviceOp::kDetach) {}
  uint64_t object() const { return remote_.object(); }

 private:
  const RemoteObject remote_;
};

class RemoteMemory final : public DeviceMemory {
 public:
  RemoteMemory(DeviceProcess* process, uint64_t generation, uint64_t object, uint64_t length)
      : remote_(process, generation, object, DeviceOp::kFree), length_(length) {}

  uint64_t length() const override { return length_; }

  Status CopySpanIn(const CopySource& from, const CopySpan& span) override {
    return remote_
        .Ask({.op = DeviceOp::kCopy,
              .object = remote_.object(),
              .from = static_cast<const RemoteBytes&>(from).object(),
              .from_offset = span.from,
              .offset = span.to,
              .length = span.length})
        .status();
  }

  Result<UniqueFd> Export() override {
    TRIMS_ASSIGN_OR_RETURN(WithFd<DeviceReply> reply,
                           remote_.Ask({.op = DeviceOp::kExport, .object = remote_.object()}));
    if (reply.fd) return std::move(reply.fd);
    return Status(StatusCode::kInternal, "the device's process exported no descriptor");
  }

 private:
  const RemoteObject remote_;
  const uint64_t length_;
};

class RemoteDevice final : public Device {
 public:
  explicit RemoteDevice(RemoteDeviceOptions options) : process_(std::move(options)) {}

  Status Introduce() {
    uint64_t generation = 0;
    TRIMS_RETURN_IF_ERROR(process_.Start(&generation));
    TRIMS_ASSIGN_OR_RETURN(info_, AskInfo(generation));
    known_.store(generation);
    return Status();
  }

  const DeviceInfo& info() const override { return info_; }

  Result<std::unique_ptr<CopySource>> AttachFor(uint64_t wanted, int fd, uint64_t length) override {
    return Attached({.op = DeviceOp::kAttach, .length = length, .wanted = wanted}, fd);
  }

  Result<std::unique_ptr<CopySource>> AttachPeer(int fd, uint64_t length,
                                                 std::string_view uuid) override {
    DeviceRequest request{.op = DeviceOp::kAttach, .length = length, .wanted = length};
    PutText(uuid, request.label);
    return Attached(request, fd);
  }

  Result<std::unique_ptr<DeviceMemory>> Allocate(std::string_view label, uint64_t length) override {
    DeviceRequest request{.op = DeviceOp::kAllocate, .length = length};
    PutText(label, request.label);
    TRIMS_ASSIGN_OR_RETURN(const Asked asked, Ask(request));
    return std::unique_ptr<DeviceMemory>(
        std::make_unique<RemoteMemory>(&process_, asked.generation, asked.object, length));
  }

 private:
  struct Asked {
    uint64_t generation = 0;
    uint64_t object = 0;
  };
  Result<Asked> Ask(const DeviceRequest& request, int fd = -1) {
    Asked asked;
    TRIMS_RETURN_IF_ERROR(process_.Start(&asked.generation));
    TRIMS_RETURN_IF_ERROR(CheckSame(asked.generation));
    TRIMS_ASSIGN_OR_RETURN(const WithFd<DeviceReply> reply,
                           process_.Ask(asked.generation, request, fd));
    asked.object = reply.message.object;
    SayOnce(TextOf(reply.message.detour));
    return asked;
  }

  Result<std::unique_ptr<CopySource>> Attached(const DeviceRequest& request, int fd) {
    TRIMS_ASSIGN_OR_RETURN(const Asked asked, Ask(request, fd));
    return std::unique_ptr<CopySource>(
        std::make_unique<RemoteBytes>(&process_, asked.generation, asked.object));
  }

  // It is slower, and nothing else: what a driver refuses for one extent it may allow for the next.
  void SayOnce(const std::string& detour) {
    if (detour.empty() || said_.exchange(true)) return;
    LogWarning("device.not_pinned", {{"device", info_.name}, {"error", detour}});
  }

  Result<DeviceInfo> AskInfo(uint64_t generation) {
    TRIMS_ASSIGN_OR_RETURN(const WithFd<DeviceReply> reply,
                           process_.Ask(generation, {.op = DeviceOp::kInfo}));
    const DeviceReply& said = reply.message;
    return DeviceInfo{.name = TextOf(said.name),
                      .uuid = TextOf(said.uuid),
                      .memory = static_cast<HandleKind>(said.memory),
                      .capacity = said.capacity,
                      .granularity = said.granularity,
                      .peers_first = said.peers_first != 0,
                      .copies = TextOf(said.copies)};
  }

  // A process that was started anew may find another device under the same number.
  Status CheckSame(uint64_t generation) {
    if (known_.load() == generation) return Status();
    TRIMS_ASSIGN_OR_RETURN(const DeviceInfo found, AskInfo(generation));
    if (found.uuid != info_.uuid) {
      return process_.Stop(generation, info_.name + " is another device now, " + found.uuid +
                                           " instead of " + info_.uuid);
    }
    known_.store(generation);
    return Status();
  }

  DeviceProcess process_;
  DeviceInfo info_;                 // constant once it is introduced
  std::atomic<bool> said_{false};   // that bytes take a detour
  std::atomic<uint64_t> known_{0};  // the process that was last seen to have this device
};

}  // namespace

Result<std::unique_ptr<Device>> StartRemoteDevice(const RemoteDeviceOptions& options) {
  auto device = std::make_unique<RemoteDevice>(options);
  TRIMS_RETURN_IF_ERROR(device->Introduce());
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace trims
