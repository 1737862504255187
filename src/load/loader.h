// Loader: fills segments on worker threads. One load is one job; jobs beyond the number of threads wait in order.
#ifndef TRIMS_LOAD_LOADER_H_
#define TRIMS_LOAD_LOADER_H_

#include <functional>
#include <memory>
#include <string>

#include "trims/status.h"

#include "format/image.h"
#include "load/tier.h"
#include "loop/post_to_loop.h"
#include "store/host_memory.h"
#include "store/resident_bytes.h"

namespace trims {

struct LoadPlan {
  ImagePtr image;             // its reference shows in /proc/PID/maps
  std::string prepared_root;  // in which the variant's folder lies; absolute
  HugePagePolicy pages = HugePagePolicy::kBest;
};

using CancelFlag = std::shared_ptr<FillControl>;

class Loader {
 public:
  virtual ~Loader() = default;
  // `done` runs on the loop. CANCELLED if the flag was set in time.
  virtual void Load(LoadPlan plan, CancelFlag cancel,
                    std::function<void(Result<ResidentBytes>)> done) = 0;
  // Frees on a worker thread: freeing a large extent takes time.
  virtual void Free(ResidentBytes bytes, std::function<void()> done) = 0;
};

// Reads, verifies (SHA-256 of each extent, the index's structure) and seals: the work of one job, on the calling thread.
// DATA_LOSS: the bytes differ from their digest or the file is shorter than recorded (it changed since it was added);
// NOT_FOUND: the file is gone; RESOURCE_EXHAUSTED: no memory, no descriptors.
Result<ResidentBytes> LoadSegment(const LoadPlan& plan, FillControl& control);

// Waits for the jobs in flight when destroyed; their completions are still posted.
Result<std::unique_ptr<Loader>> MakeThreadLoader(int threads, PostToLoop post);

}  // namespace trims

#endif  // TRIMS_LOAD_LOADER_H_
