// MXNet's functions that are used here, found in a libmxnet.so that is loaded when it is needed.
//
//   TRIMS_ASSIGN_OR_RETURN(const Library* mxnet, LoadLibrary(""));
//   TRIMS_RETURN_IF_ERROR(mxnet->Check("MXExecutorForward", mxnet->executor_forward(executor, 0)));
//
// Thread-safety: any thread.
#ifndef TRIMS_ADAPTERS_MXNET_LIBRARY_H_
#define TRIMS_ADAPTERS_MXNET_LIBRARY_H_

#include <mxnet/c_api.h>

#include <memory>
#include <string>

#include "trims/status.h"

namespace trims::mxnet {

struct Library {
  decltype(&MXGetLastError) last_error = nullptr;
  decltype(&MXGetVersion) version = nullptr;
  decltype(&MXNDArrayCreateEx) array_create = nullptr;
  decltype(&MXNDArrayFromDLPackEx) array_from_dlpack = nullptr;
  decltype(&MXNDArrayFree) array_free = nullptr;
  decltype(&MXNDArrayGetShapeEx) array_shape = nullptr;
  decltype(&MXNDArrayGetDType) array_type = nullptr;
  decltype(&MXNDArraySyncCopyFromCPU) array_copy_from = nullptr;
  decltype(&MXNDArraySyncCopyToCPU) array_copy_to = nullptr;
  decltype(&MXNDArrayWaitAll) wait_all = nullptr;
  decltype(&MXSymbolCreateFromJSON) symbol_create = nullptr;
  decltype(&MXSymbolFree) symbol_free = nullptr;
  decltype(&MXSymbolListArguments) symbol_arguments = nullptr;
  decltype(&MXSymbolListAuxiliaryStates) symbol_states = nullptr;
  decltype(&MXSymbolInferShapeEx) symbol_shapes = nullptr;
  decltype(&MXExecutorBindEX) executor_bind = nullptr;
  decltype(&MXExecutorFree) executor_free = nullptr;
  decltype(&MXExecutorForward) executor_forward = nullptr;
  decltype(&MXExecutorOutputs) executor_outputs = nullptr;

  // `result`: of the function `call`. INTERNAL with the first line of what MXNet says.
  Status Check(const char* call, int result) const;
};

// One of MXNet's handles, freed at the end.
using Owned = std::unique_ptr<void, int (*)(void*)>;

// `path`: as Options::library. The same for the process's whole life: later paths don't count.
Result<const Library*> LoadLibrary(const std::string& path);

}  // namespace trims::mxnet

#endif  // TRIMS_ADAPTERS_MXNET_LIBRARY_H_
