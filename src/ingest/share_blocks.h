// ShareBlocks: what was just prepared, so that what other models have already lies there once, on the disk as in memory.
//
//   TRIMS_RETURN_IF_ERROR(ShareBlocks(incoming, candidates, Granularity::kBlock, &manifest));
//   manifest.variants[0].runs;      // what it is put together of, if it shares anything
//   manifest.variants[0].extents;   // what it has itself, in the variant's folder, with all digests
//
// In the place of RecordDigests. `files` and `tensors` are shared; other variants are recorded as they are. What a variant has
// itself is always written into its folder, so that whoever borrows it later depends on no source; what lay there of it
// before goes. Reads everything once, and what is new twice more. Blocks: on a worker. Thread-safety: safe.
#ifndef TRIMS_INGEST_SHARE_BLOCKS_H_
#define TRIMS_INGEST_SHARE_BLOCKS_H_

#include <string>
#include <vector>

#include "trims/status.h"

#include "base/granularity.h"
#include "format/image.h"
#include "format/manifest.h"

namespace trims {

// `granularity`: as which it is recorded, kBlock or kLayer, where it was prepared so. `candidates` are the namespace's images, whose folders stay as long as this takes and until the catalog names them. Errors as
// RecordDigests's, and of writing.
Status ShareBlocks(const std::string& incoming, const std::vector<ImagePtr>& candidates,
                   Granularity granularity, Manifest* manifest);

}  // namespace trims

#endif  // TRIMS_INGEST_SHARE_BLOCKS_H_
