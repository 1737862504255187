// Owners of what the CUDA driver gives: a device and its primary context, an allocation, a range of addresses, memory of
// the host's that it copies from.
//
// What gives back can't fail in a way that anybody could mend; what the driver says then is ignored. Thread-safety: as the
// driver's, whose calls are safe; an owner belongs to one thread at a time. All of them end before their Context.
#ifndef TRIMS_CUDA_CUDA_MEMORY_H_
#define TRIMS_CUDA_CUDA_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "cuda/cuda_api.h"

namespace trims::cuda {

// A device, with its primary context held, which the frameworks of a process share.
class Context {
 public:
  // INVALID_ARGUMENT: no such ordinal.
  static Result<Context> OfOrdinal(const Api* api, int ordinal);
  // NOT_FOUND: this process sees no device with that UUID, and which it sees.
  static Result<Context> OfUuid(const Api* api, const std::string& uuid);

  Context(Context&& other) noexcept
      : api_(std::exchange(other.api_, nullptr)),
        ordinal_(other.ordinal_),
        device_(other.device_),
        context_(other.context_) {}
  Context& operator=(Context&&) = delete;
  ~Context();

  const Api& api() const { return *api_; }
  int ordinal() const { return ordinal_; }
  Device_ device() const { return device_; }
  Context_ get() const { return context_; }

  Result<std::string> ReadUuid() const;
  Result<uint64_t> ReadTotalBytes() const;
  Result<int> ReadAttribute(int attribute) const;
  // Whether it can read the memory of the device with that UUID, which this process may not see.
  Result<bool> CanAccess(std::string_view peer_uuid) const;
  // Of memory that can be shared by descriptors.
  Result<size_t> ReadGranularity() const;
  AllocationProperties Properties() const { return {.location = {.id = ordinal_}}; }

 private:
  Context(const Api* api, int ordinal, Device_ device)
      : api_(api), ordinal_(ordinal), device_(device) {}
  const Api* api_;
  int ordinal_;
  Device_ device_;
  Context_ context_ = nullptr;
};

// The calling thread works in a context while one of these lives, and in whichever it had before afterwards.
class Current {
 public:
  explicit Current(const Context& context) : api_(context.api()) {
    pushed_ = api_.CtxPushCurrent(context.get()) == kSuccess;
  }
  ~Current() {
    Context_ popped = nullptr;
    if (pushed_) static_cast<void>(api_.CtxPopCurrent(&popped));
  }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  const Api& api_;
  bool pushed_ = false;
};

// Memory of the device, as a handle.
class Allocation {
 public:
  // `bytes` (> 0) are rounded up to `granularity`.
  static Result<Allocation> Create(const Context& context, size_t bytes, size_t granularity);
  // The descriptor is still the caller's.
  static Result<Allocation> Import(const Context& context, int fd, size_t bytes,
                                   size_t granularity);

  Allocation(Allocation&& other) noexcept
      : api_(std::exchange(other.api_, nullptr)), handle_(other.handle_), bytes_(other.bytes_) {}
  Allocation& operator=(Allocation&&) = delete;
  ~Allocation() {
    if (api_ != nullptr) static_cast<void>(api_->MemRelease(handle_));
  }

  AllocationHandle handle() const { return handle_; }
  size_t bytes() const { return bytes_; }  // a multiple of the granularity
  Result<UniqueFd> Export() const;

 private:
  Allocation(const Api* api, AllocationHandle handle, size_t bytes)
      : api_(api), handle_(handle), bytes_(bytes) {}
  const Api* api_;
  AllocationHandle handle_;
  size_t bytes_;
};

// Addresses of a device, and the allocations that are mapped there.
class Range {
 public:
  static Result<Range> Reserve(const Context& context, size_t bytes, size_t alignment);

  Range(Range&& other) noexcept
      : api_(std::exchange(other.api_, nullptr)),
        ordinal_(other.ordinal_),
        pointer_(other.pointer_),
        bytes_(other.bytes_),
        mapped_(std::move(other.mapped_)) {}
  Range& operator=(Range&&) = delete;
  ~Range();

  DevicePointer pointer() const { return pointer_; }
  size_t bytes() const { return bytes_; }
  // All of the allocation, which may be released then. `access` is kAccessRead or kAccessReadWrite.
  Status Map(const Allocation& allocation, size_t offset, unsigned access);

 private:
  struct Mapped {
    size_t offset = 0;
    size_t bytes = 0;
  };
  Range(const Api* api, int ordinal, DevicePointer pointer, size_t bytes)
      : api_(api), ordinal_(ordinal), pointer_(pointer), bytes_(bytes) {}
  const Api* api_;
  int ordinal_;
  DevicePointer pointer_;
  size_t bytes_;
  std::vector<Mapped> mapped_;
};

}  // namespace trims::cuda

#endif  // TRIMS_CUDA_CUDA_MEMORY_H_
