// FillFromFiles: makes an image resident in the host's memory: reads its files, verifies them
// (digests of each extent, the index's structure) and seals.
//
//   TRIMS_ASSIGN_OR_RETURN(ResidentBytes bytes,
//                          FillFromFiles(*image, {.prepared_root = root}, control.get()));
//
// Blocks for as long as that takes. Thread-safety: safe.
#ifndef TRIMS_LOAD_FILL_H_
#define TRIMS_LOAD_FILL_H_

#include <memory>
#include <string>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "format/image.h"
#include "load/kept_copy.h"
#include "load/network_engine.h"
#include "load/read_engine.h"
#include "load/tier.h"
#include "store/host_memory.h"
#include "store/resident_bytes.h"

namespace trims {

// Of what is fetched, a copy for this disk: where FillFromFiles puts it, complete and verified but not
// finished, which its owner does.
struct KeepOptions {
  std::unique_ptr<KeptCopy>* copy = nullptr;  // nullptr: none is made
  CancelToken* cancel = nullptr;              // outlives it
};

struct FillOptions {
  std::string prepared_root;  // in which the images' folders lie; absolute
  HugePagePolicy pages = HugePagePolicy::kBest;
  ReadEngineKind engine = ReadEngineKind::kPread;
  NetworkOptions network = {};
  KeepOptions keep = {};
  bool feeds = false;  // whether somebody may follow it: the control's feed is told what it fills
};

// What isn't on this disk, or is damaged, is fetched if the image also lies on a network; that nothing can be
// kept of it is no error. DATA_LOSS: the bytes differ from their digest or the file is shorter than recorded
// (it changed since it was added); NOT_FOUND: the file is gone; RESOURCE_EXHAUSTED: no memory, descriptors or
// threads; CANCELLED by the control, which is told what has been hashed; errors of the network.
Result<ResidentBytes> FillFromFiles(const Image& image, const FillOptions& options,
                                    FillControl* control);

}  // namespace trims

#endif  // TRIMS_LOAD_FILL_H_
