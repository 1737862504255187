// Explain: where an open would be served from now, what it would cost, what would go for it, or why it would be refused.
//
// A dry run: each tier is asked for its plan (SegmentTable::Plan), from the one that is asked for down to the first that has it.
// Thread-safety: loop only.
#ifndef TRIMS_MANAGER_EXPLAIN_H_
#define TRIMS_MANAGER_EXPLAIN_H_

#include "format/image.h"
#include "manager/choose_tier.h"
#include "manager/snapshot.h"
#include "residency/counters.h"

namespace trims {

// `on_disk`: whether this node's disk has all files of the image.
ExplainedOpen Explain(const ImagePtr& image, const SegmentTable& tier, const Counters& counters,
                      bool on_disk);

}  // namespace trims

#endif  // TRIMS_MANAGER_EXPLAIN_H_
