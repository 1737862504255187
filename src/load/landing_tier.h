// LandingTier: a tier as those see it who bring bytes into it by another way than a load: while a model is
// downloaded.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<LandingRoom> room, tier->TakeRoom(bytes));
//   tier->Adopt(image, std::move(room), std::move(resident));  // as if it had been loaded
//
// Nobody is pushed out for that: what comes so has not been opened yet. Thread-safety: loop only.
#ifndef TRIMS_LOAD_LANDING_TIER_H_
#define TRIMS_LOAD_LANDING_TIER_H_

#include <cstdint>
#include <memory>

#include "trims/status.h"

#include "format/image.h"
#include "store/resident_bytes.h"

namespace trims {

// Gives the room back when it goes, which is on the loop or after it.
class LandingRoom {
 public:
  virtual ~LandingRoom() = default;
};

class LandingTier {
 public:
  virtual ~LandingTier() = default;
  // RESOURCE_EXHAUSTED: so much is not free, or promised to those who wait for it; FAILED_PRECONDITION: the tier keeps
  // nothing that nobody holds.
  virtual Result<std::unique_ptr<LandingRoom>> TakeRoom(uint64_t bytes) = 0;
  // `bytes` are those of the image, verified. Where it is there already, or on its way, or has no room after all,
  // they are freed, and nothing else comes of it.
  virtual void Adopt(const ImagePtr& image, std::unique_ptr<LandingRoom> room,
                     ResidentBytes bytes) = 0;
};

}  // namespace trims

#endif  // TRIMS_LOAD_LANDING_TIER_H_
