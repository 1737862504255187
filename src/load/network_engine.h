// MakeNetworkEngine: reads what lies on a network, many ranges at a time, straight into the destination.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto engine, MakeNetworkEngine({}, control->token()));
//   engine->Submit({.file = remote_bytes, .offset = 0, .destination = bytes});
//
// A ReadEngine; files that are no RemoteBytes are read by ReadAt. Small reads that follow each other closely in
// a file, in its order, become one range and are copied to their places, so that a model of many small tensors
// in the order of its file costs no more requests than one of few.
#ifndef TRIMS_LOAD_NETWORK_ENGINE_H_
#define TRIMS_LOAD_NETWORK_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "load/read_engine.h"
#include "transfer/http.h"

namespace trims {

// How to fetch from one source.
struct NetworkOptions {
  size_t concurrency = 8;         // ranges in flight
  uint64_t bytes_per_second = 0;  // 0: no limit
  HttpPatience patience = {};
};

// `cancel` outlives the engine: once it is told, what is in flight ends as CANCELLED. Errors as
// RangeFetcher::Start's.
Result<std::unique_ptr<ReadEngine>> MakeNetworkEngine(const NetworkOptions& options,
                                                      CancelToken* cancel);

}  // namespace trims

#endif  // TRIMS_LOAD_NETWORK_ENGINE_H_
