#include "client/device_range.h"

#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/macros.h"
#include "base/mapping.h"
#include "cuda/cuda_driver.h"

namespace trims {
namespace {

std::string DriverLibrary() {
  const char* library = ::secure_getenv("TRIMS_CUDA_LIBRARY");
  return library == nullptr ? "" : library;
}

Result<cuda::Context> ContextOf(const std::string& device_uuid) {
  TRIMS_ASSIGN_OR_RETURN(const cuda::Api* const api, cuda::LoadDriver(DriverLibrary()));
  return cuda::Context::OfUuid(api, device_uuid);
}

// The one that all of them hold.
Result<cuda::IpcMemHandle> HandleIn(std::span<const DeviceRange::Extent> extents) {
  std::optional<cuda::IpcMemHandle> first;
  for (const DeviceRange::Extent& extent : extents) {
    TRIMS_ASSIGN_OR_RETURN(const cuda::IpcMemHandle handle, cuda::ReadIpcHandle(extent.fd));
    if (!first) first = handle;
    if (std::memcmp(&handle, &*first, sizeof handle) != 0)
      return Status(StatusCode::kInvalidArgument, "extents of several allocations of CUDA IPC");
  }
  if (first) return *first;
  return Status(StatusCode::kInvalidArgument, "no extent that could be opened");
}

}  // namespace

Result<std::unique_ptr<DeviceRange>> DeviceRange::Map(const std::string& device_uuid,
                                                      uint64_t length,
                                                      std::span<const Extent> extents) {
  TRIMS_ASSIGN_OR_RETURN(cuda::Context context, ContextOf(device_uuid));
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
  const cuda::DevicePointer pointer = range.pointer();
  return std::unique_ptr<DeviceRange>(
      new DeviceRange(std::move(context), pointer, std::move(range)));
}

Result<std::unique_ptr<DeviceRange>> DeviceRange::OpenIpc(const std::string& device_uuid,
                                                          std::span<const Extent> extents) {
  TRIMS_ASSIGN_OR_RETURN(const cuda::IpcMemHandle handle, HandleIn(extents));
  TRIMS_ASSIGN_OR_RETURN(cuda::Context context, ContextOf(device_uuid));
  const cuda::Current current(context);
  TRIMS_ASSIGN_OR_RETURN(cuda::IpcMapping mapping, cuda::IpcMapping::Open(context, handle));
  const cuda::DevicePointer pointer = mapping.pointer();
  return std::unique_ptr<DeviceRange>(
      new DeviceRange(std::move(context), pointer, std::move(mapping)));
}

DeviceRange::~DeviceRange() {
  const cuda::Current current(context_);
  mapped_.emplace<std::monostate>();
}

}  // namespace trims
