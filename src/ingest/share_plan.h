// SharePlan: which blocks of a variant that comes in others have already, and how its range is put together of
// theirs and of what is new.
//
//   const SharePlan plan = PlanSharing(lengths, blocks, candidates);
//   plan.own;       // what has to be written, in this order
//   plan.runs;      // of the range; part 0 is what was written
//   plan.borrowed;  // the other parts
//
// Blocks are compared by SHA-256: models come from strangers, and a sum that can be forged would give one the
// other's bytes. What is borrowed comes into memory as a whole, so a part is borrowed only where at least half of it is
// wanted: what comes along unasked is never more than what is saved.
// Thread-safety: pure functions.
#ifndef TRIMS_INGEST_SHARE_PLAN_H_
#define TRIMS_INGEST_SHARE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/sha256.h"
#include "format/image.h"
#include "format/manifest.h"

namespace trims {

struct SharePlan {
  // A block of the range's extents, which has to be written; whole ones come first.
  struct Own {
    size_t extent = 0;
    uint64_t at = 0;
    uint64_t length = 0;
    uint64_t to = 0;  // where in the part
  };
  std::vector<Own> own;
  uint64_t own_length = 0;
  std::vector<ManifestRun> runs;
  std::vector<ImagePtr> borrowed;
  std::vector<Sha256::Digest> blocks;  // of the whole ones among `own`, in their order

  // It has too many pieces to be put together.
  bool impossible() const { return own.empty(); }
  // Nothing is shared, and the part is the only extent as it is.
  bool plain() const { return runs.empty(); }
};

// `lengths` are the range's extents, of which `blocks` has a digest for each block, the last one's of the rest. `candidates` are
// images that are no parts' sum and have blocks.
SharePlan PlanSharing(const std::vector<uint64_t>& lengths,
                      const std::vector<std::vector<Sha256::Digest>>& blocks,
                      const std::vector<ImagePtr>& candidates);

}  // namespace trims

#endif  // TRIMS_INGEST_SHARE_PLAN_H_
