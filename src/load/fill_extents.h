// FillExtents: the pipeline that fills the extents of an image and hashes them on the way.
//
// Three stages follow each other through the segment, each as far behind the one before as it must
// be: allocate (steps of up to 32 MiB, on the calling thread), read (read_plan.h cuts, a ReadEngine reads,
// straight into the extent), hash (chunk_hasher.h, as far as reading is finished). There are no
// buffers, so nothing can pile up. A small segment passes all three on the calling thread.
//
//   TRIMS_ASSIGN_OR_RETURN(std::vector<ExtentDigests> digests,
//                          FillExtents(image, {.engine = engine}, &files, &writers, control));
//
// What isn't on this disk (ImageFiles::missing) comes from the network in the same way, and a fourth stage
// writes it there (kept_copy.h).
// Thread-safety: safe, for distinct files and writers.
#ifndef TRIMS_LOAD_FILL_EXTENTS_H_
#define TRIMS_LOAD_FILL_EXTENTS_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "trims/status.h"

#include "format/image.h"
#include "load/chunk_hasher.h"
#include "load/fill_feed.h"
#include "load/image_files.h"
#include "load/kept_copy.h"
#include "load/network_engine.h"
#include "load/read_engine.h"
#include "load/tier.h"
#include "store/host_memory.h"

namespace trims {

// What an extent is verified by: bytes that lie in the daemon's own store by XXH3; those of a source,
// which others may change, by SHA-256; what is fetched by both.
DigestKind DigestKindOf(const ManifestExtent& extent, const std::set<std::string>& fetched);

// How many threads hash so many bytes while they come. The caller hashes, too, once it has read everything.
size_t HashersFor(uint64_t bytes);

struct FillHow {
  ReadEngineKind engine = ReadEngineKind::kPread;  // of what is here
  NetworkOptions network = {};
  KeptCopy* copy = nullptr;  // is told what is ready; nullptr: nothing is kept
  FillFeed* feed = nullptr;  // likewise; nullptr: nobody follows
};

// `writers` are the image's extents, reserved; afterwards they are allocated and full. The digests of
// each, as DigestKindOf() says. On failure the first error of any stage; nothing touches the writers any more and all files
// are closed.
Result<std::vector<ExtentDigests>> FillExtents(const Image& image, const FillHow& how,
                                               ImageFiles* files,
                                               std::vector<ExtentWriter>* writers,
                                               FillControl* control);

}  // namespace trims

#endif  // TRIMS_LOAD_FILL_EXTENTS_H_
