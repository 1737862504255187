// PinnedPages: pages of this process's that the driver has registered, so that a device reads them where they lie.
//
// It may only read them: pages that are mapped for reading, those of a sealed memfd, can be registered, and none can be
// written by it. All of the pages are there before: what is not allocated yet would be by this. They stay mapped, and no
// copy may be on its way from them, until this has gone.
//
//   TRIMS_ASSIGN_OR_RETURN(const cuda::PinnedPages pinned, cuda::PinnedPages::Register(context, mapping.bytes()));
//   TRIMS_RETURN_IF_ERROR(staging.CopyPinned(range.pointer(), mapping.bytes()));
//   TRIMS_RETURN_IF_ERROR(staging.Wait());
//
// The context must be current when it is made and when it goes. Thread-safety: a value.
#ifndef TRIMS_CUDA_CUDA_PINNED_PAGES_H_
#define TRIMS_CUDA_CUDA_PINNED_PAGES_H_

#include <cstddef>
#include <span>
#include <utility>

#include "trims/status.h"

#include "cuda/cuda_api.h"
#include "cuda/cuda_memory.h"

namespace trims::cuda {

class PinnedPages {
 public:
  // Whether a device, and its driver, can read pages that may only be read; one too old to know what that is can't.
  static bool CanRegister(const Context& context);

  // `pages` begins and ends with one. What the driver says: how much it takes, and what it counts that against, it tells
  // nobody before; whoever gets an error copies another way.
  static Result<PinnedPages> Register(const Context& context, std::span<const std::byte> pages);

  PinnedPages(PinnedPages&& other) noexcept
      : api_(std::exchange(other.api_, nullptr)), start_(other.start_) {}
  PinnedPages& operator=(PinnedPages&&) = delete;
  ~PinnedPages() {
    if (api_ != nullptr) static_cast<void>(api_->MemHostUnregister(start_));
  }

 private:
  PinnedPages(const Api* api, void* start) : api_(api), start_(start) {}
  const Api* api_;
  void* start_;
};

}  // namespace trims::cuda

#endif  // TRIMS_CUDA_CUDA_PINNED_PAGES_H_
