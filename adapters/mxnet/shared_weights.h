// Keeps shared weights as they are while MXNet computes with them.
//
// MXNet's MKL-DNN operators lay a weight out anew the first time they use it, in the array's own memory
// (NDArray::MKLDNNDataReorderAsync), which would be a write to pages that no process may write to. The
// call goes through libmxnet.so's table of imported functions; the entry there is made to lead here. For
// arrays in ranges that were told it then does nothing, and the operator lays the weight out in
// its own scratch memory, which it does in any case; all other arrays are as before.
//
//   KeepSharedWeights("/…/mxnet/libmxnet.so");   // once MXNet is loaded
//   AddSharedWeights(address, length);           // for each model
//
// Source: src/ndarray/ndarray.cc and src/operator/nn/mkldnn/ of MXNet 1.9.1. Thread-safety: any thread.
#ifndef TRIMS_ADAPTERS_MXNET_SHARED_WEIGHTS_H_
#define TRIMS_ADAPTERS_MXNET_SHARED_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "trims/status.h"

namespace trims::mxnet {

// Idempotent; the library stays loaded from then on. FAILED_PRECONDITION: it isn't loaded;
// UNIMPLEMENTED: it calls no such function, as other versions than 1.9.1 may not.
Status KeepSharedWeights(const std::string& library);

// Remembered to the process's end: of a range that was unmapped, and is something else's by now,
// arrays are laid out for each computation instead of once.
void AddSharedWeights(uintptr_t begin, size_t length);

}  // namespace trims::mxnet

#endif  // TRIMS_ADAPTERS_MXNET_SHARED_WEIGHTS_H_
