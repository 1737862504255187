// FillFromFiles: makes an image resident in the host's memory: reads its files, verifies them
// (digests of each extent, the index's structure) and seals.
//
//   TRIMS_ASSIGN_OR_RETURN(ResidentBytes bytes,
//                          FillFromFiles(*image, {.prepared_root = root}, control.get()));
//
// Blocks for as long as that takes. Thread-safety: safe.
#ifndef TRIMS_LOAD_FILL_H_
#define TRIMS_LOAD_FILL_H_

#include <string>

#include "trims/status.h"

#include "format/image.h"
#include "load/tier.h"
#include "store/host_memory.h"
#include "store/resident_bytes.h"

namespace trims {

struct FillOptions {
  std::string prepared_root;  // in which the images' folders lie; absolute
  HugePagePolicy pages = HugePagePolicy::kBest;
};

// DATA_LOSS: the bytes differ from their digest or the file is shorter than recorded (it changed since
// it was added); NOT_FOUND: the file is gone; RESOURCE_EXHAUSTED: no memory, descriptors or threads;
// CANCELLED by the control, which is told what has been hashed.
Result<ResidentBytes> FillFromFiles(const Image& image, const FillOptions& options,
                                    FillControl* control);

}  // namespace trims

#endif  // TRIMS_LOAD_FILL_H_
