// Landed: what a fetch has brought into memory besides the disk: the only file of a model of files, hashed and
// sealed, as it will be shared.
//
//   if (fetched.landed) …;  // nothing has to be read again: RecordLanded, TakeLanded
//
// Its room ends on the loop, whichever thread lets go of it; its memory is better let go of on a worker.
// Thread-safety: values.
#ifndef TRIMS_INGEST_LANDED_H_
#define TRIMS_INGEST_LANDED_H_

#include <cstdint>
#include <memory>
#include <string>

#include "trims/status.h"

#include "format/image.h"
#include "format/manifest.h"
#include "load/landed_file.h"
#include "load/landing_tier.h"
#include "store/resident_bytes.h"

namespace trims {

// Empty once it was adopted.
using SharedLandingRoom = std::shared_ptr<std::unique_ptr<LandingRoom>>;

struct Landed {
  std::string name;  // of the file
  uint64_t length = 0;
  LandedContent content;
  SharedLandingRoom room;
};

// The digests of a model that the preparer has made nothing of but this file's `files` variant, whose own words
// about them count for nothing. INTERNAL: the manifest is of something else.
Status RecordLanded(const Landed& landed, Manifest* manifest);

// The bytes of the image that was made of it, whose index is read from the store. Errors as ReadIndex's; DATA_LOSS: it is
// another image. Blocks. Afterwards `landed` has none.
Result<ResidentBytes> TakeLanded(const Image& image, const std::string& prepared_root,
                                 Landed* landed);

}  // namespace trims

#endif  // TRIMS_INGEST_LANDED_H_
