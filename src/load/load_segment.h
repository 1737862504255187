// LoadSegment: reads, verifies and seals one image: the work of one fill of the host tier.
//
// Thread-safety: safe; it blocks, so it belongs on a tier's thread.
#ifndef TRIMS_LOAD_LOAD_SEGMENT_H_
#define TRIMS_LOAD_LOAD_SEGMENT_H_

#include <string>

#include "trims/status.h"

#include "format/image.h"
#include "load/tier.h"
#include "store/host_memory.h"
#include "store/resident_bytes.h"

namespace trims {

struct LoadPlan {
  ImagePtr image;             // its reference shows in /proc/PID/maps
  std::string prepared_root;  // in which the variant's folder lies; absolute
  HugePagePolicy pages = HugePagePolicy::kBest;
};

// Verified are the SHA-256 of each extent and the index's structure. DATA_LOSS: the bytes differ from
// their digest or the file is shorter than recorded (it changed since it was added); NOT_FOUND: the
// file is gone; RESOURCE_EXHAUSTED: no memory, no descriptors; CANCELLED.
Result<ResidentBytes> LoadSegment(const LoadPlan& plan, FillControl& control);

}  // namespace trims

#endif  // TRIMS_LOAD_LOAD_SEGMENT_H_
