// StartKeeper: who keeps what is resident beyond this daemon's end, as its options have it.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<SegmentKeeper> keeper, StartKeeper(wishes));  // nullptr: nobody
//
// Thread-safety: before there are threads.
#ifndef TRIMS_TOOLS_TRIMSD_START_KEEPER_H_
#define TRIMS_TOOLS_TRIMSD_START_KEEPER_H_

#include <chrono>
#include <memory>
#include <string>

#include "trims/status.h"

#include "keeper/segment_keeper.h"
#include "keeper/service_manager.h"
#include "store/host_memory.h"
#include "tools/trimsd/options.h"

namespace trims::daemon {

struct KeeperWishes {
  KeeperChoice choice = KeeperChoice::kAuto;
  std::chrono::milliseconds keep_for{0};
  std::string socket;   // the daemon's own: a keeper listens beside it
  std::string records;  // folder
  HugePagePolicy pages = HugePagePolicy::kBest;
  size_t most_descriptors = SIZE_MAX;  // for what is taken over
  ServiceManager* service = nullptr;   // nullptr: this is no service of one. Outlives the keeper
};

// A keeper that can't be had is a line of the log, and only where it was asked for by name an error: NOT_FOUND,
// FAILED_PRECONDITION: there is no trims-keeper to run; errors as ConnectToKeeper's.
Result<std::unique_ptr<SegmentKeeper>> StartKeeper(const KeeperWishes& wishes);

}  // namespace trims::daemon

#endif  // TRIMS_TOOLS_TRIMSD_START_KEEPER_H_
