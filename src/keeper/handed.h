// CheckHanded: whether what a keeper hands over is what a daemon before had recorded, and can be shared as it is.
//
//   Result<ResidentBytes> bytes = CheckHanded(*record, std::move(descriptors), HugePagePolicy::kBest);
//
// Each descriptor has to be one of the record's files, unchanged since (KeptFile); a memfd with all seals; and of the
// size of its content. What may be on huge pages is mapped and looked at: its kind is found, not believed.
// FAILED_PRECONDITION says what is not as it should be, or that the pages are of a kind that `pages` doesn't ask for.
//
// What it gives are open files of this daemon's own, marked as lent. Blocks for some 0.1 ms, and 0.2 µs for each
// megabyte. Thread-safety: safe.
#ifndef TRIMS_KEEPER_HANDED_H_
#define TRIMS_KEEPER_HANDED_H_

#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "format/image.h"
#include "keeper/kept_record.h"
#include "store/host_memory.h"
#include "store/resident_bytes.h"

namespace trims {

Result<ResidentBytes> CheckHanded(const KeptRecord& record, std::vector<UniqueFd> fds,
                                  HugePagePolicy pages);

// Whether a segment with these lengths can be this image: number and lengths of its extents, and of its index.
// FAILED_PRECONDITION.
Status CheckIsOf(const Image& image, const ResidentBytes& bytes);

}  // namespace trims

#endif  // TRIMS_KEEPER_HANDED_H_
