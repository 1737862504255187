// The CUDA driver of this machine, found when it is asked for and by nobody else; nothing is linked against it.
//
//   TRIMS_ASSIGN_OR_RETURN(const cuda::Api* api, cuda::LoadDriver());
//   TRIMS_RETURN_IF_ERROR(cuda::Check(*api, api->MemCreate(&handle, bytes, &properties, 0), "cuMemCreate"));
//
// Once loaded it stays. Thread-safety: safe.
#ifndef TRIMS_CUDA_CUDA_DRIVER_H_
#define TRIMS_CUDA_CUDA_DRIVER_H_

#include <string>
#include <string_view>

#include "trims/status.h"

#include "cuda/cuda_api.h"

namespace trims::cuda {

// Loads `library` (empty: libcuda.so.1, as the machine finds it) and initializes it. NOT_FOUND: there is none, or it has no
// device; UNIMPLEMENTED: it is too old, and which function it lacks; FAILED_PRECONDITION: what cuInit says. The api is
// there for the rest of the process.
Result<const Api*> LoadDriver(const std::string& library = "");

// What an answer of the driver means; `call` is for the message. RESOURCE_EXHAUSTED: out of memory; UNAVAILABLE: the
// device is lost, or its context is; otherwise INTERNAL.
Status Check(const Api& api, Result_ result, std::string_view call);

// "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
std::string TextOf(const Uuid& uuid);

}  // namespace trims::cuda

#endif  // TRIMS_CUDA_CUDA_DRIVER_H_
