// HostTier: the host's memory as a tier: sealed memfds, filled from the files of the image by threads
// of its own.
//
// One fill is one job; jobs beyond the number of threads wait in order. Images that also lie on a network have as
// many threads of their own, so that a slow server keeps nobody else waiting. Freeing has a thread of its
// own: the room for which a fill may be waiting must not wait for the fills before it. So has what is still
// to be written of what was fetched: a fill is done when its bytes are there. What a keeper hands over is there without
// a byte being read.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Tier> host, MakeHostTier(options, loop.poster()));
//
// Thread-safety: as Tier. Destroyed, it gives up the fills that have not begun and waits for those
// that have; their completions are still posted.
#ifndef TRIMS_LOAD_HOST_TIER_H_
#define TRIMS_LOAD_HOST_TIER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "trims/status.h"

#include "keeper/segment_keeper.h"
#include "load/network_engine.h"
#include "load/read_engine.h"
#include "load/tier.h"
#include "loop/post_to_loop.h"
#include "store/host_memory.h"
#include "store/prepared_store.h"

namespace trims {

struct HostTierOptions {
  uint64_t budget = 0;  // bytes
  int threads = 2;
  HugePagePolicy pages = HugePagePolicy::kBest;
  ReadEngineKind engine = ReadEngineKind::kPread;
  std::string prepared_root;  // in which the images' folders lie; absolute
  NetworkOptions network = {};
  // Gives room to what is fetched from a network and kept; nullptr: nothing is. Outlives the tier.
  PreparedStore* prepared = nullptr;
  bool feeds = false;  // whether a tier above may follow its fills
  // Knows when what was let go of is free; nullptr: at once. Outlives the tier.
  MemoryWatch* watch = nullptr;
  // Has what the daemon before left, and gets what is resident; nullptr: nothing outlives this one. Outlives the tier.
  SegmentKeeper* keeper = nullptr;
};

// INVALID_ARGUMENT: no threads; RESOURCE_EXHAUSTED: the system has none to give.
Result<std::unique_ptr<Tier>> MakeHostTier(const HostTierOptions& options, PostToLoop post);

}  // namespace trims

#endif  // TRIMS_LOAD_HOST_TIER_H_
