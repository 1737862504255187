#include "device/sim_device.h"

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "base/errno_status.h"
#include "base/fault.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/mutex.h"
#include "device/mapped_host_bytes.h"
#include "store/host_memory.h"

namespace trims {
namespace {

constexpr char kUuidBegin[] = "51300000-0000-4000-8000-";

// What the device's memory and the device know of each other.
class SimState {
 public:
  SimState(DeviceInfo device, const SimDeviceOptions& options)
      : info(std::move(device)),
        peers(options.peers),
        link(options.link),
        peer_link(
            {.bytes_per_second = options.peer_bytes_per_second, .latency = options.link.latency}) {}

  Link& LinkFrom(const CopySource& source) {
    const bool own =
        peers == SimDeviceOptions::Peers::kByOwnLink && MappedHostBytes::IsPeers(source);
    return own ? peer_link : link;
  }

  Status CheckThere() const {
    if (!lost_.load()) return Status();
    return Status(StatusCode::kUnavailable, "device " + info.name + " is lost",
                  "restart trimsd once the device is there again");
  }

  Status Take(uint64_t bytes) {
    MutexLock lock(mutex_);
    if (bytes > info.capacity - used_) {
      return Status(StatusCode::kResourceExhausted,
                    "device " + info.name + " has " + std::to_string(info.capacity - used_) +
                        " of its " + std::to_string(info.capacity) + " bytes left, " +
                        std::to_string(bytes) + " are needed",
                    "lower --device-budget below what the device has for models");
    }
    used_ += bytes;
    return Status();
  }

  void GiveBack(uint64_t bytes) {
    MutexLock lock(mutex_);
    used_ -= bytes;
  }

  // What an injected fault means.
  Status Fail(int error, const std::string& what) {
    if (error == ENODEV) lost_.store(true);
    TRIMS_RETURN_IF_ERROR(CheckThere());
    if (error == ENOMEM) {
      return Status(StatusCode::kResourceExhausted,
                    "device " + info.name + " is out of memory while " + what);
    }
    return Status(StatusCode::kInternal,
                  "device " + info.name + " failed while " + what + ": " + std::strerror(error));
  }

  const DeviceInfo info;
  const SimDeviceOptions::Peers peers;
  Link link;
  Link peer_link;
  const SteadyClock clock;

 private:
  std::atomic<bool> lost_{false};
  Mutex mutex_;
  uint64_t used_ TRIMS_GUARDED_BY(mutex_) = 0;
};

class SimMemory final : public DeviceMemory {
 public:
  // Copies that are queued behind one another: what this machine needs longer for once in a while then leaves no gap on the wire.
  static constexpr size_t kOnTheWire = 4;

  // `taken` was taken from the device, and is given back when this goes.
  SimMemory(std::shared_ptr<SimState> device, uint64_t taken, ExtentWriter writer)
      : device_(std::move(device)),
        taken_(taken),
        length_(writer.length()),
        writer_(std::move(writer)) {}
  ~SimMemory() override {
    writer_.reset();
    device_->GiveBack(taken_);
  }

  uint64_t length() const override { return length_; }
  Status CopySpanIn(const CopySource& from, const CopySpan& span) override;
  Result<UniqueFd> Export() override;

 private:
  // Until no more than `most` copies are on the wire: some are, while the next is made ready, as in the queue of a
  // device's copy engine. Nobody can tell us when a modelled wire is done, but the time.
  void WaitForArrivals(size_t most) {
    while (arrivals_.size() > most) {
      std::this_thread::sleep_until(arrivals_.front());
      arrivals_.pop_front();
    }
  }

  const std::shared_ptr<SimState> device_;
  const uint64_t taken_;
  const uint64_t length_;
  std::optional<ExtentWriter> writer_;  // until it is exported
  std::deque<TimePoint> arrivals_;      // of what is on the wire
};

Status SimMemory::CopySpanIn(const CopySource& from, const CopySpan& span) {
  if (!writer_) return AlreadyExported();
  TRIMS_RETURN_IF_ERROR(device_->CheckThere());
  TRIMS_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes,
                         MappedHostBytes::Part(from, span.from, span.length));
  TRIMS_RETURN_IF_ERROR(CheckPart(span.to, span.length, length_));
  if (const int error = fault::Check(fault::Op::kDeviceCopy)) {
    return device_->Fail(error, "copying");
  }
  TRIMS_RETURN_IF_ERROR(writer_->Allocate(span.to + span.length));
  std::memcpy(writer_->data() + span.to, bytes.data(), bytes.size());
  arrivals_.push_back(device_->LinkFrom(from).Carry(span.length, device_->clock.Now()));
  WaitForArrivals(kOnTheWire);
  return Status();
}

Result<UniqueFd> SimMemory::Export() {
  if (!writer_) return AlreadyExported();
  TRIMS_RETURN_IF_ERROR(device_->CheckThere());
  if (const int error = fault::Check(fault::Op::kDeviceExport)) {
    return device_->Fail(error, "exporting memory");
  }
  WaitForArrivals(0);
  ExtentWriter writer = *std::exchange(writer_, std::nullopt);
  TRIMS_ASSIGN_OR_RETURN(SealedExtent sealed, std::move(writer).Seal());
  return std::move(sealed).TakeFd();
}

class SimDevice final : public Device {
 public:
  SimDevice(DeviceInfo info, const SimDeviceOptions& options)
      : state_(std::make_shared<SimState>(std::move(info), options)) {}

  const DeviceInfo& info() const override { return state_->info; }

  Result<std::unique_ptr<CopySource>> AttachFor(uint64_t /*wanted*/, int fd,
                                                uint64_t length) override {
    TRIMS_RETURN_IF_ERROR(state_->CheckThere());
    return MappedHostBytes::Attach(fd, length);
  }

  Result<std::unique_ptr<CopySource>> AttachPeer(int fd, uint64_t length,
                                                 std::string_view uuid) override {
    TRIMS_RETURN_IF_ERROR(state_->CheckThere());
    if (state_->peers == SimDeviceOptions::Peers::kNone || !uuid.starts_with(kUuidBegin)) {
      return Status(StatusCode::kUnimplemented,
                    "device " + state_->info.name + " has no way from device " + std::string(uuid));
    }
    return MappedHostBytes::Attach(fd, length, /*peers=*/true);
  }

  Result<std::unique_ptr<DeviceMemory>> Allocate(std::string_view label, uint64_t length) override {
    TRIMS_RETURN_IF_ERROR(state_->CheckThere());
    if (const int error = fault::Check(fault::Op::kDeviceAllocate)) {
      return state_->Fail(error, "allocating");
    }
    TRIMS_ASSIGN_OR_RETURN(ExtentWriter writer,
                           ExtentWriter::Reserve(state_->info.name + "/" + std::string(label),
                                                 length, HugePagePolicy::kNoHugeTlb));
    const uint64_t bytes = AlignUp(length, state_->info.granularity);
    TRIMS_RETURN_IF_ERROR(state_->Take(bytes));
    return std::unique_ptr<DeviceMemory>(
        std::make_unique<SimMemory>(state_, bytes, std::move(writer)));
  }

 private:
  const std::shared_ptr<SimState> state_;
};

// In the form of a UUID; that of a simulated device tells which one it is.
std::string UuidOf(int number) {
  char text[40];
  std::snprintf(text, sizeof text, "%s%012x", kUuidBegin, static_cast<unsigned>(number));
  return text;
}

bool PeersFirst(const SimDeviceOptions& options) {
  if (options.peers != SimDeviceOptions::Peers::kByOwnLink) return false;
  const uint64_t host = options.link.bytes_per_second;
  const uint64_t peer = options.peer_bytes_per_second;
  return host != 0 && (peer == 0 || peer > host);
}

}  // namespace

Result<std::unique_ptr<Device>> MakeSimDevice(const SimDeviceOptions& options) {
  if (options.granularity < kPageSize || !std::has_single_bit(options.granularity)) {
    return Status(StatusCode::kInvalidArgument,
                  "a granularity of " + std::to_string(options.granularity) +
                      " bytes: expected a power of two, at least " + std::to_string(kPageSize));
  }
  if (options.capacity < options.granularity) {
    return Status(StatusCode::kInvalidArgument, "a capacity of " +
                                                    std::to_string(options.capacity) +
                                                    " bytes: expected at least the granularity, " +
                                                    std::to_string(options.granularity));
  }
  return std::unique_ptr<Device>(
      std::make_unique<SimDevice>(DeviceInfo{.name = "sim:" + std::to_string(options.number),
                                             .uuid = UuidOf(options.number),
                                             .memory = HandleKind::kSimulatedDevice,
                                             .capacity = options.capacity,
                                             .granularity = options.granularity,
                                             .peers_first = PeersFirst(options)},
                                  options));
}

}  // namespace trims
