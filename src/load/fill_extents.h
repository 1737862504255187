// FillExtents: the pipeline that fills the extents of an image and hashes them on the way.
//
// Three stages follow each other through the segment, each as far behind the one before as it must
// be: allocate (steps of 32 MiB, on the calling thread), read (read_plan.h cuts, a ReadEngine reads,
// straight into the extent), hash (extent_hasher.h, as far as reading is finished). There are no
// buffers, so nothing can pile up. A small segment passes all three on the calling thread.
//
//   TRIMS_ASSIGN_OR_RETURN(std::vector<std::string> digests,
//                          FillExtents(image, &files, &writers, control));
//
// Thread-safety: safe, for distinct files and writers.
#ifndef TRIMS_LOAD_FILL_EXTENTS_H_
#define TRIMS_LOAD_FILL_EXTENTS_H_

#include <string>
#include <vector>

#include "trims/status.h"

#include "format/image.h"
#include "load/image_files.h"
#include "load/tier.h"
#include "store/host_memory.h"

namespace trims {

// `writers` are the image's extents, reserved; afterwards they are allocated and full. The SHA-256 of
// each. On failure the first error of any stage; nothing touches the writers any more and all files
// are closed.
Result<std::vector<std::string>> FillExtents(const Image& image, ImageFiles* files,
                                             std::vector<ExtentWriter>* writers,
                                             FillControl* control);

}  // namespace trims

#endif  // TRIMS_LOAD_FILL_EXTENTS_H_
