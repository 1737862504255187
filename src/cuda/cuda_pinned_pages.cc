#include "cuda/cuda_pinned_pages.h"

#include <string>

#include "base/macros.h"
#include "cuda/cuda_driver.h"

namespace trims::cuda {

bool PinnedPages::CanRegister(const Context& context) {
  const Result<int> can = context.ReadAttribute(kAttributeReadOnlyHostRegister);
  return can.ok() && *can != 0;
}

Result<PinnedPages> PinnedPages::Register(const Context& context,
                                          std::span<const std::byte> pages) {
  const Api& api = context.api();
  // The driver takes a pointer to what it doesn't write. One context uses them, so they need not be portable.
  void* const start = const_cast<std::byte*>(pages.data());
  TRIMS_RETURN_IF_ERROR(Check(api, api.MemHostRegister(start, pages.size(), kHostRegisterReadOnly),
                              "cuMemHostRegister of " + std::to_string(pages.size()) + " bytes"));
  return PinnedPages(&api, start);
}

}  // namespace trims::cuda
