// Staging: copies to a device, in order on one stream: from any pages of the host's, through two buffers that the driver has
// pinned, of which one is filled while the other is on the wire; or from pages that are pinned themselves, and from what another
// device has, past the buffers.
//
//   TRIMS_ASSIGN_OR_RETURN(cuda::Staging staging, cuda::Staging::Make(api));
//   TRIMS_RETURN_IF_ERROR(staging.Copy(range.pointer(), bytes));
//
// The context of the device must be current in every call but the end, which only gives memory back. Thread-safety: one
// thread at a time.
#ifndef TRIMS_CUDA_CUDA_STAGING_H_
#define TRIMS_CUDA_CUDA_STAGING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "trims/status.h"

#include "cuda/cuda_api.h"

namespace trims::cuda {

class Staging {
 public:
  static constexpr size_t kBufferBytes = size_t{4} << 20;
  // Copies from pinned pages that wait behind one another: enough for the wire to have the next one at once, few enough
  // for a load that is given up to end soon.
  static constexpr size_t kMostOnTheWay = 4;

  static Result<Staging> Make(const Api* api);
  Staging(Staging&& other) noexcept
      : api_(std::exchange(other.api_, nullptr)),
        stream_(other.stream_),
        buffers_(other.buffers_),
        passed_(other.passed_) {}
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  // Blocks until the bytes are there.
  Status Copy(DevicePointer to, std::span<const std::byte> from);
  // The same, of what another device has and this one can read; nothing passes through here.
  Status CopyFromDevice(DevicePointer to, DevicePointer from, size_t bytes);

  // Of pages that are pinned (cuda_pinned_pages.h), and stay so until Wait(): this copy and up to kMostOnTheWay - 1 before it
  // may still be on their way when it returns. An error may be that of an earlier one.
  Status CopyPinned(DevicePointer to, std::span<const std::byte> from);
  // Blocks until nothing is on its way. Also after an error nothing is.
  Status Wait();

  // How often bytes that were on their way have not arrived, whoever was told. Of whose copies they were nobody can say:
  // whoever copied meanwhile asks by WaitSince().
  uint64_t failures() const { return failures_; }
  // As Wait(); the last such error, too, if there are more of them than `failures`.
  Status WaitSince(uint64_t failures);

 private:
  struct Buffer {
    void* bytes = nullptr;
    Event_ left = nullptr;  // recorded when what it held is on the device
    bool used = false;
  };
  struct Passed {  // one of the last copies from pinned pages
    Event_ event = nullptr;
    bool used = false;
  };

  explicit Staging(const Api* api) : api_(api) {}
  Status MakeParts();
  Status CopyPart(Buffer* buffer, DevicePointer to, std::span<const std::byte> from);
  Status CopyParts(DevicePointer to, std::span<const std::byte> from);
  Status Synchronize();
  Status Noted(Status arrived);

  const Api* api_;
  Stream_ stream_ = nullptr;
  std::array<Buffer, 2> buffers_ = {};
  std::array<Passed, kMostOnTheWay> passed_ = {};
  size_t next_passed_ = 0;
  bool on_the_way_ = false;  // maybe: copies from pinned pages
  uint64_t failures_ = 0;
  Status last_failure_;
};

}  // namespace trims::cuda

#endif  // TRIMS_CUDA_CUDA_STAGING_H_
