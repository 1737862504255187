#include "cuda/cuda_staging.h"

#include <algorithm>
#include <cstring>

#include "base/macros.h"
#include "cuda/cuda_driver.h"

namespace trims::cuda {

Result<Staging> Staging::Make(const Api* api) {
  Staging staging(api);
  TRIMS_RETURN_IF_ERROR(staging.MakeParts());
  return staging;
}

Status Staging::MakeParts() {
  TRIMS_RETURN_IF_ERROR(
      Check(*api_, api_->StreamCreate(&stream_, kStreamNonBlocking), "cuStreamCreate"));
  for (Buffer& buffer : buffers_) {
    TRIMS_RETURN_IF_ERROR(
        Check(*api_, api_->MemHostAlloc(&buffer.bytes, kBufferBytes, 0), "cuMemHostAlloc"));
    TRIMS_RETURN_IF_ERROR(
        Check(*api_, api_->EventCreate(&buffer.left, kEventDisableTiming), "cuEventCreate"));
  }
  // Who waits for these sleeps: the processor has nothing to do with what it doesn't copy.
  for (Passed& passed : passed_) {
    TRIMS_RETURN_IF_ERROR(
        Check(*api_, api_->EventCreate(&passed.event, kEventDisableTiming | kEventBlockingSync),
              "cuEventCreate"));
  }
  return Status();
}

Staging::~Staging() {
  if (api_ == nullptr) return;
  for (const Passed& passed : passed_) {
    if (passed.event != nullptr) static_cast<void>(api_->EventDestroy(passed.event));
  }
  for (const Buffer& buffer : buffers_) {
    if (buffer.left != nullptr) static_cast<void>(api_->EventDestroy(buffer.left));
    if (buffer.bytes != nullptr) static_cast<void>(api_->MemFreeHost(buffer.bytes));
  }
  if (stream_ != nullptr) static_cast<void>(api_->StreamDestroy(stream_));
}

Status Staging::Copy(DevicePointer to, std::span<const std::byte> from) {
  const Status status = CopyParts(to, from);
  // Also after a failure: nothing may be on its way out of a buffer that the next copy fills.
  const Status arrived = Synchronize();
  return status.ok() ? arrived : status;
}

Status Staging::CopyFromDevice(DevicePointer to, DevicePointer from, size_t bytes) {
  const Status status =
      Check(*api_, api_->MemcpyDtoDAsync(to, from, bytes, stream_), "cuMemcpyDtoDAsync");
  const Status arrived = Synchronize();
  return status.ok() ? arrived : status;
}

Status Staging::CopyPinned(DevicePointer to, std::span<const std::byte> from) {
  if (from.empty()) return Status();
  Passed& passed = passed_[next_passed_];
  next_passed_ = (next_passed_ + 1) % kMostOnTheWay;
  if (passed.used) {
    TRIMS_RETURN_IF_ERROR(
        Noted(Check(*api_, api_->EventSynchronize(passed.event), "cuEventSynchronize")));
  }
  on_the_way_ = true;
  TRIMS_RETURN_IF_ERROR(Check(*api_, api_->MemcpyHtoDAsync(to, from.data(), from.size(), stream_),
                              "cuMemcpyHtoDAsync"));
  TRIMS_RETURN_IF_ERROR(Check(*api_, api_->EventRecord(passed.event, stream_), "cuEventRecord"));
  passed.used = true;
  return Status();
}

Status Staging::Wait() { return on_the_way_ ? Synchronize() : Status(); }

Status Staging::WaitSince(uint64_t failures) {
  TRIMS_RETURN_IF_ERROR(Wait());
  return failures_ == failures ? Status() : last_failure_;
}

Status Staging::Synchronize() {
  for (Buffer& buffer : buffers_) buffer.used = false;
  for (Passed& passed : passed_) passed.used = false;
  on_the_way_ = false;
  return Noted(Check(*api_, api_->StreamSynchronize(stream_), "cuStreamSynchronize"));
}

Status Staging::Noted(Status arrived) {
  if (arrived.ok()) return arrived;
  ++failures_;
  last_failure_ = arrived;
  return arrived;
}

Status Staging::CopyParts(DevicePointer to, std::span<const std::byte> from) {
  for (size_t next = 0; !from.empty(); next = (next + 1) % buffers_.size()) {
    const std::span<const std::byte> part = from.first(std::min(kBufferBytes, from.size()));
    TRIMS_RETURN_IF_ERROR(CopyPart(&buffers_[next], to, part));
    to += part.size();
    from = from.subspan(part.size());
  }
  return Status();
}

Status Staging::CopyPart(Buffer* buffer, DevicePointer to, std::span<const std::byte> from) {
  if (buffer->used)
    TRIMS_RETURN_IF_ERROR(Check(*api_, api_->EventSynchronize(buffer->left), "cuEventSynchronize"));
  std::memcpy(buffer->bytes, from.data(), from.size());
  TRIMS_RETURN_IF_ERROR(Check(*api_, api_->MemcpyHtoDAsync(to, buffer->bytes, from.size(), stream_),
                              "cuMemcpyHtoDAsync"));
  TRIMS_RETURN_IF_ERROR(Check(*api_, api_->EventRecord(buffer->left, stream_), "cuEventRecord"));
  buffer->used = true;
  return Status();
}

}  // namespace trims::cuda
