#include "cuda/cuda_memory.h"

#include <optional>

#include "base/macros.h"
#include "base/mapping.h"
#include "cuda/cuda_driver.h"

namespace trims::cuda {
namespace {

Result<int> CountDevices(const Api& api) {
  int count = 0;
  TRIMS_RETURN_IF_ERROR(Check(api, api.DeviceGetCount(&count), "cuDeviceGetCount"));
  return count;
}

Result<std::string> UuidOf(const Api& api, Device_ device) {
  Uuid uuid{};
  TRIMS_RETURN_IF_ERROR(Check(api, api.DeviceGetUuid(&uuid, device), "cuDeviceGetUuid"));
  return TextOf(uuid);
}

// Among those that this process sees; `seen` is told the others.
Result<std::optional<int>> OrdinalOf(const Api& api, std::string_view uuid, std::string* seen) {
  TRIMS_ASSIGN_OR_RETURN(const int count, CountDevices(api));
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    Device_ device = 0;
    TRIMS_RETURN_IF_ERROR(Check(api, api.DeviceGet(&device, ordinal), "cuDeviceGet"));
    TRIMS_ASSIGN_OR_RETURN(const std::string found, UuidOf(api, device));
    if (found == uuid) return std::optional<int>(ordinal);
    *seen += (seen->empty() ? "" : ", ") + found;
  }
  return std::optional<int>();
}

}  // namespace

Result<Context> Context::OfOrdinal(const Api* api, int ordinal) {
  TRIMS_ASSIGN_OR_RETURN(const int count, CountDevices(*api));
  if (ordinal < 0 || ordinal >= count) {
    return Status(StatusCode::kInvalidArgument,
                  "there is no CUDA device " + std::to_string(ordinal) + " among the " +
                      std::to_string(count) + " that this process sees",
                  "CUDA_VISIBLE_DEVICES hides devices; nvidia-smi lists all");
  }
  Device_ device = 0;
  TRIMS_RETURN_IF_ERROR(Check(*api, api->DeviceGet(&device, ordinal), "cuDeviceGet"));
  Context context(api, ordinal, device);
  Context_ primary = nullptr;
  const Status status =
      Check(*api, api->DevicePrimaryCtxRetain(&primary, device), "cuDevicePrimaryCtxRetain");
  context.context_ = primary;
  TRIMS_RETURN_IF_ERROR(status);
  return context;
}

Result<Context> Context::OfUuid(const Api* api, const std::string& uuid) {
  std::string seen;
  TRIMS_ASSIGN_OR_RETURN(const std::optional<int> ordinal, OrdinalOf(*api, uuid, &seen));
  if (ordinal) return OfOrdinal(api, *ordinal);
  return Status(
      StatusCode::kNotFound,
      "this process doesn't see the device " + uuid + ", but " + (seen.empty() ? "none" : seen),
      "CUDA_VISIBLE_DEVICES or the container hides it");
}

Context::~Context() {
  if (api_ != nullptr && context_ != nullptr)
    static_cast<void>(api_->DevicePrimaryCtxRelease(device_));
}

Result<std::string> Context::ReadUuid() const { return UuidOf(*api_, device_); }

Result<uint64_t> Context::ReadTotalBytes() const {
  size_t bytes = 0;
  TRIMS_RETURN_IF_ERROR(Check(*api_, api_->DeviceTotalMem(&bytes, device_), "cuDeviceTotalMem"));
  return uint64_t{bytes};
}

Result<int> Context::ReadAttribute(int attribute) const {
  int value = 0;
  TRIMS_RETURN_IF_ERROR(
      Check(*api_, api_->DeviceGetAttribute(&value, attribute, device_), "cuDeviceGetAttribute"));
  return value;
}

Result<bool> Context::CanAccess(std::string_view peer_uuid) const {
  std::string seen;
  TRIMS_ASSIGN_OR_RETURN(const std::optional<int> ordinal, OrdinalOf(*api_, peer_uuid, &seen));
  if (!ordinal) return false;
  Device_ peer = 0;
  TRIMS_RETURN_IF_ERROR(Check(*api_, api_->DeviceGet(&peer, *ordinal), "cuDeviceGet"));
  if (peer == device_) return true;
  int can = 0;
  TRIMS_RETURN_IF_ERROR(
      Check(*api_, api_->DeviceCanAccessPeer(&can, device_, peer), "cuDeviceCanAccessPeer"));
  return can != 0;
}

Result<size_t> Context::ReadGranularity() const {
  size_t granularity = 0;
  const AllocationProperties properties = Properties();
  TRIMS_RETURN_IF_ERROR(Check(
      *api_, api_->MemGetAllocationGranularity(&granularity, &properties, kGranularityRecommended),
      "cuMemGetAllocationGranularity"));
  return granularity;
}

Result<Allocation> Allocation::Create(const Context& context, size_t bytes, size_t granularity) {
  const AllocationProperties properties = context.Properties();
  const size_t rounded = AlignUp(bytes, granularity);
  AllocationHandle handle = 0;
  TRIMS_RETURN_IF_ERROR(Check(context.api(),
                              context.api().MemCreate(&handle, rounded, &properties, 0),
                              "cuMemCreate of " + std::to_string(rounded) + " bytes"));
  return Allocation(&context.api(), handle, rounded);
}

Result<Allocation> Allocation::Import(const Context& context, int fd, size_t bytes,
                                      size_t granularity) {
  AllocationHandle handle = 0;
  void* const shareable = reinterpret_cast<void*>(static_cast<intptr_t>(fd));
  TRIMS_RETURN_IF_ERROR(
      Check(context.api(),
            context.api().MemImportFromShareableHandle(&handle, shareable, kHandleTypePosixFd),
            "cuMemImportFromShareableHandle"));
  return Allocation(&context.api(), handle, AlignUp(bytes, granularity));
}

Result<UniqueFd> Allocation::Export() const {
  int fd = -1;
  TRIMS_RETURN_IF_ERROR(Check(*api_,
                              api_->MemExportToShareableHandle(&fd, handle_, kHandleTypePosixFd, 0),
                              "cuMemExportToShareableHandle"));
  return UniqueFd(fd);
}

Result<Range> Range::Reserve(const Context& context, size_t bytes, size_t alignment) {
  DevicePointer pointer = 0;
  TRIMS_RETURN_IF_ERROR(Check(context.api(),
                              context.api().MemAddressReserve(&pointer, bytes, alignment, 0, 0),
                              "cuMemAddressReserve of " + std::to_string(bytes) + " bytes"));
  return Range(&context.api(), context.ordinal(), pointer, bytes);
}

Range::~Range() {
  if (api_ == nullptr) return;
  for (const Mapped& mapped : mapped_)
    static_cast<void>(api_->MemUnmap(pointer_ + mapped.offset, mapped.bytes));
  static_cast<void>(api_->MemAddressFree(pointer_, bytes_));
}

Status Range::Map(const Allocation& allocation, size_t offset, unsigned access) {
  const DevicePointer at = pointer_ + offset;
  TRIMS_RETURN_IF_ERROR(
      Check(*api_, api_->MemMap(at, allocation.bytes(), 0, allocation.handle(), 0), "cuMemMap"));
  mapped_.push_back({.offset = offset, .bytes = allocation.bytes()});
  const AccessDescription description{.location = {.id = ordinal_}, .flags = access};
  return Check(*api_, api_->MemSetAccess(at, allocation.bytes(), &description, 1),
               "cuMemSetAccess");
}

}  // namespace trims::cuda
