// FetchFromNetwork: what one fetch of a SourceFetcher does: lists the source, chooses, downloads; a model of one
// file, where that is asked for and there is room, into memory and from there to the disk.
//
//   MakeSourceFetcher(FetchFromNetwork({}), 4, post);
//
// Thread-safety: what it gives may be called from any thread.
#ifndef TRIMS_INGEST_FETCH_FILES_H_
#define TRIMS_INGEST_FETCH_FILES_H_

#include <cstddef>
#include <cstdint>

#include "ingest/source_fetcher.h"
#include "store/host_memory.h"

namespace trims {

struct FetchOptions {
  size_t concurrency = 8;                        // ranges in flight, of each source
  uint64_t bytes_per_second = 0;                 // of each source; 0: no limit
  HugePagePolicy pages = HugePagePolicy::kBest;  // of what comes into memory
};

FetchFiles FetchFromNetwork(const FetchOptions& options);

}  // namespace trims

#endif  // TRIMS_INGEST_FETCH_FILES_H_
