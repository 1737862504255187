// Bringer: brings images into a tier for nobody's open: one after the other, with a lease on each until
// all of them are there, so that none goes for the next.
//
//   bringer.Bring(host, {image}, progress, [](Result<std::vector<Lease>> leases) { … });
//
// Thread-safety: loop only. Ends before the tiers; nobody is called back any more then.
#ifndef TRIMS_MANAGER_BRINGER_H_
#define TRIMS_MANAGER_BRINGER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "format/image.h"
#include "ingest/preparer.h"
#include "loop/timer_service.h"
#include "residency/lease.h"
#include "residency/segment_table.h"

namespace trims {

// Of what was to be brought for nobody who could be told. `why`: "pin".
void LogNotBrought(std::string_view why, const std::string& model, const Status& status);

class Bringer {
 public:
  explicit Bringer(TimerService* timers) : timers_(timers) {}
  ~Bringer();
  Bringer(const Bringer&) = delete;
  Bringer& operator=(const Bringer&) = delete;

  using Done = std::function<void(Result<std::vector<Lease>>)>;
  // May call back inside this call. The first error ends it: what came before it stays as it may.
  void Bring(SegmentTable* tier, std::vector<ImagePtr> images, Preparer::Progress progress,
             Done done);

  size_t in_flight() const { return jobs_.size(); }

 private:
  struct Job {
    SegmentTable* tier;
    std::vector<ImagePtr> images;
    Preparer::Progress progress;
    Done done;
    std::vector<Lease> leases;
    std::optional<OpenWait> wait;
    uint64_t timer = 0;
  };

  void BringNext(uint64_t id);
  void Answered(uint64_t id, Result<Lease> lease);
  void End(uint64_t id, const Status& why);
  void Tell(uint64_t id);

  TimerService* const timers_;
  uint64_t last_ = 0;
  std::map<uint64_t, Job> jobs_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_BRINGER_H_
