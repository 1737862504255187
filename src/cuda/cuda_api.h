// The part of the CUDA driver API that TrIMS uses, declared here, so that one build serves machines with and
// without a driver: cuda_driver.h finds the functions when they are needed.
//
// Names, values and layouts are those of the driver's own header (cuda.h, CUDA 13.0; unchanged since 10.2, which is
// the first with shareable memory). Thread-safety: the driver's.
#ifndef TRIMS_CUDA_CUDA_API_H_
#define TRIMS_CUDA_CUDA_API_H_

#include <cstddef>
#include <cstdint>

namespace trims::cuda {

using Result_ = int;                // CUresult
using Device_ = int;                // CUdevice, not an ordinal
using DevicePointer = uint64_t;     // CUdeviceptr
using AllocationHandle = uint64_t;  // CUmemGenericAllocationHandle
using Context_ = struct CUctx_st*;
using Stream_ = struct CUstream_st*;
using Event_ = struct CUevent_st*;

enum : Result_ {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kDeinitialized = 4,
  kDeviceUnavailable = 46,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidContext = 201,
  kEccUncorrectable = 214,
  kInvalidHandle = 400,
  kIllegalAddress = 700,
  kHostMemoryAlreadyRegistered = 712,
  kHostMemoryNotRegistered = 713,
  kHardwareStackError = 714,
  kLaunchFailed = 719,
  kNotPermitted = 800,
  kNotSupported = 801,
  kSystemDriverMismatch = 803,
  kUnknown = 999,
};

enum : int {  // CUdevice_attribute
  kAttributeVirtualMemoryManagement = 102,
  kAttributePosixFileDescriptors = 103,
  kAttributeReadOnlyHostRegister = 113,
};

enum : unsigned {
  kStreamNonBlocking = 1,       // CU_STREAM_NON_BLOCKING
  kHostRegisterReadOnly = 8,    // CU_MEMHOSTREGISTER_READ_ONLY
  kEventBlockingSync = 1,       // CU_EVENT_BLOCKING_SYNC
  kEventDisableTiming = 2,      // CU_EVENT_DISABLE_TIMING
  kHandleTypePosixFd = 1,       // CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR
  kAllocationTypePinned = 1,    // CU_MEM_ALLOCATION_TYPE_PINNED
  kLocationTypeDevice = 1,      // CU_MEM_LOCATION_TYPE_DEVICE
  kGranularityRecommended = 1,  // CU_MEM_ALLOC_GRANULARITY_RECOMMENDED
  kAccessRead = 1,              // CU_MEM_ACCESS_FLAGS_PROT_READ
  kAccessReadWrite = 3,         // CU_MEM_ACCESS_FLAGS_PROT_READWRITE
  kIpcLazyPeerAccess = 1,       // CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS
};

struct Uuid {  // CUuuid
  unsigned char bytes[16];
};

struct IpcMemHandle {  // CUipcMemHandle
  char reserved[64];
};
static_assert(sizeof(IpcMemHandle) == 64);

struct Location {  // CUmemLocation
  unsigned type = kLocationTypeDevice;
  int id = 0;
};

struct AllocationProperties {  // CUmemAllocationProp
  unsigned type = kAllocationTypePinned;
  unsigned requested_handle_types = kHandleTypePosixFd;
  Location location;
  void* win32_handle_metadata = nullptr;
  unsigned char compression = 0;
  unsigned char gpu_direct_rdma = 0;
  unsigned short usage = 0;
  unsigned char reserved[4] = {};
};
static_assert(sizeof(AllocationProperties) == 32);

struct AccessDescription {  // CUmemAccessDesc
  Location location;
  unsigned flags = kAccessRead;
};
static_assert(sizeof(AccessDescription) == 12);

// The functions, by their names without "cu"; X(member, symbol, parameters). Where there are several versions of
// one, the symbol is that of the current header.
#define TRIMS_CUDA_FUNCTIONS(X)                                                               \
  X(Init, "cuInit", (unsigned flags))                                                         \
  X(GetErrorName, "cuGetErrorName", (Result_ error, const char** name))                       \
  X(DeviceGetCount, "cuDeviceGetCount", (int* count))                                         \
  X(DeviceGet, "cuDeviceGet", (Device_ * device, int ordinal))                                \
  X(DeviceGetUuid, "cuDeviceGetUuid_v2", (Uuid * uuid, Device_ device))                       \
  X(DeviceTotalMem, "cuDeviceTotalMem_v2", (size_t * bytes, Device_ device))                  \
  X(DeviceGetAttribute, "cuDeviceGetAttribute", (int* value, int attribute, Device_ device))  \
  X(DeviceCanAccessPeer, "cuDeviceCanAccessPeer", (int* can, Device_ device, Device_ peer))   \
  X(DevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", (Context_ * context, Device_ device)) \
  X(DevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2", (Device_ device))                \
  X(CtxPushCurrent, "cuCtxPushCurrent_v2", (Context_ context))                                \
  X(CtxPopCurrent, "cuCtxPopCurrent_v2", (Context_ * context))                                \
  X(MemGetAllocationGranularity, "cuMemGetAllocationGranularity",                             \
    (size_t * granularity, const AllocationProperties* properties, unsigned option))          \
  X(MemCreate, "cuMemCreate",                                                                 \
    (AllocationHandle * handle, size_t bytes, const AllocationProperties* properties,         \
     unsigned long long flags))                                                               \
  X(MemRelease, "cuMemRelease", (AllocationHandle handle))                                    \
  X(MemAddressReserve, "cuMemAddressReserve",                                                 \
    (DevicePointer * pointer, size_t bytes, size_t alignment, DevicePointer wanted,           \
     unsigned long long flags))                                                               \
  X(MemAddressFree, "cuMemAddressFree", (DevicePointer pointer, size_t bytes))                \
  X(MemMap, "cuMemMap",                                                                       \
    (DevicePointer pointer, size_t bytes, size_t offset, AllocationHandle handle,             \
     unsigned long long flags))                                                               \
  X(MemUnmap, "cuMemUnmap", (DevicePointer pointer, size_t bytes))                            \
  X(MemSetAccess, "cuMemSetAccess",                                                           \
    (DevicePointer pointer, size_t bytes, const AccessDescription* access, size_t count))     \
  X(MemExportToShareableHandle, "cuMemExportToShareableHandle",                               \
    (void* shareable, AllocationHandle handle, unsigned type, unsigned long long flags))      \
  X(MemImportFromShareableHandle, "cuMemImportFromShareableHandle",                           \
    (AllocationHandle * handle, void* shareable, unsigned type))                              \
  X(MemAlloc, "cuMemAlloc_v2", (DevicePointer * pointer, size_t bytes))                       \
  X(MemFree, "cuMemFree_v2", (DevicePointer pointer))                                         \
  X(IpcGetMemHandle, "cuIpcGetMemHandle", (IpcMemHandle * handle, DevicePointer pointer))     \
  X(IpcOpenMemHandle, "cuIpcOpenMemHandle_v2",                                                \
    (DevicePointer * pointer, IpcMemHandle handle, unsigned flags))                           \
  X(IpcCloseMemHandle, "cuIpcCloseMemHandle", (DevicePointer pointer))                        \
  X(MemHostAlloc, "cuMemHostAlloc", (void** pointer, size_t bytes, unsigned flags))           \
  X(MemFreeHost, "cuMemFreeHost", (void* pointer))                                            \
  X(MemHostRegister, "cuMemHostRegister_v2", (void* pointer, size_t bytes, unsigned flags))   \
  X(MemHostUnregister, "cuMemHostUnregister", (void* pointer))                                \
  X(MemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2",                                                  \
    (DevicePointer to, const void* from, size_t bytes, Stream_ stream))                       \
  X(MemcpyDtoDAsync, "cuMemcpyDtoDAsync_v2",                                                  \
    (DevicePointer to, DevicePointer from, size_t bytes, Stream_ stream))                     \
  X(MemcpyDtoH, "cuMemcpyDtoH_v2", (void* to, DevicePointer from, size_t bytes))              \
  X(StreamCreate, "cuStreamCreate", (Stream_ * stream, unsigned flags))                       \
  X(StreamDestroy, "cuStreamDestroy_v2", (Stream_ stream))                                    \
  X(StreamSynchronize, "cuStreamSynchronize", (Stream_ stream))                               \
  X(EventCreate, "cuEventCreate", (Event_ * event, unsigned flags))                           \
  X(EventDestroy, "cuEventDestroy_v2", (Event_ event))                                        \
  X(EventRecord, "cuEventRecord", (Event_ event, Stream_ stream))                             \
  X(EventSynchronize, "cuEventSynchronize", (Event_ event))

struct Api {
#define TRIMS_CUDA_MEMBER(member, symbol, parameters) Result_(*member) parameters = nullptr;
  TRIMS_CUDA_FUNCTIONS(TRIMS_CUDA_MEMBER)
#undef TRIMS_CUDA_MEMBER
};

}  // namespace trims::cuda

#endif  // TRIMS_CUDA_CUDA_API_H_
