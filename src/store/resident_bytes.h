// ResidentBytes: the bytes of one resident segment. Immutable; freeing them takes time, so they end
// on a worker thread.
#ifndef TRIMS_STORE_RESIDENT_BYTES_H_
#define TRIMS_STORE_RESIDENT_BYTES_H_

#include <vector>

#include "store/host_memory.h"

namespace trims {

struct ResidentBytes {
  SealedExtent index;
  std::vector<SealedExtent> extents;
};

}  // namespace trims

#endif  // TRIMS_STORE_RESIDENT_BYTES_H_
