// ResidentBytes: the bytes of one resident segment, as handles that clients are sent.
//
// Immutable. Freeing large ones takes time, so they end on a tier's thread. Thread-safety: values.
#ifndef TRIMS_STORE_RESIDENT_BYTES_H_
#define TRIMS_STORE_RESIDENT_BYTES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trims/model.h"

#include "base/clock.h"
#include "base/unique_fd.h"
#include "store/host_memory.h"

namespace trims {

// One extent of memory, whatever kind of memory it is.
struct Handle {
  UniqueFd fd;
  uint64_t length = 0;  // bytes
  Pages pages = Pages::kSmall;
  HandleKind kind = HandleKind::kHostMemory;
};

Handle HandleOf(SealedExtent extent);

struct ResidentBytes {
  Handle index;  // always host memory
  std::vector<Handle> extents;
  std::shared_ptr<void> memory =
      {};  // what ends with the bytes, where the handles aren't all: a device's memory
  // Under which label a keeper has them, too (keeper/segment_keeper.h); empty: none has.
  std::string kept_as = {};
  // Of those that a daemon before this one had loaded: what its load took.
  std::optional<Duration> taken_over_load_time = {};
  std::string taken_over_for = {};  // the model that it was loaded for; empty: not known
};

}  // namespace trims

#endif  // TRIMS_STORE_RESIDENT_BYTES_H_
