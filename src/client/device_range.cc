#include "client/device_range.h"

#include <cstdlib>

#include "base/macros.h"
#include "base/mapping.h"
#include "cuda/cuda_driver.h"

namespace trims {
namespace {

std::string DriverLibrary() {
  const char* library = ::secure_getenv("TRIMS_CUDA_LIBRARY");
  return library == nullptr ? "" : library;
}

}  // namespace

Result<std::unique_ptr<DeviceRange>> DeviceRange::Map(const std::string& device_uuid,
                                                      uint64_t length,
                                                      std::span<const Extent> extents) {
  TRIMS_ASSIGN_OR_RETURN(const cuda::Api* const api, cuda::LoadDriver(DriverLibrary()));
  TRIMS_ASSIGN_OR_RETURN(cuda::Context context, cuda::Context::OfUuid(api, device_uuid));
  const cuda::Current current(context);
  TRIMS_ASSIGN_OR_RETURN(const size_t granularity, context.ReadGranularity());
  const size_t rounded = AlignUp(AlignUp(length, kHugePageSize), granularity);
  TRIMS_ASSIGN_OR_RETURN(cuda::Range range, cuda::Range::Reserve(context, rounded, granularity));
  for (const Extent& extent : extents) {
    TRIMS_ASSIGN_OR_RETURN(
        const cuda::Allocation allocation,
        cuda::Allocation::Import(context, extent.fd, extent.length, granularity));
    TRIMS_RETURN_IF_ERROR(range.Map(allocation, extent.offset, cuda::kAccessRead));
  }
  return std::unique_ptr<DeviceRange>(new DeviceRange(std::move(context), std::move(range)));
}

}  // namespace trims
