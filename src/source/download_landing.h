// DownloadLanding: memory that the bytes of a downloaded file come into while they are written to the disk
// out of it, for whoever needs them there at once.
//
//   return Download(&store, {file}, place, {.landing = &landing});  // and then all of it is in that memory, too
//
// Thread-safety: the downloading thread calls; others write to the memory meanwhile.
#ifndef TRIMS_SOURCE_DOWNLOAD_LANDING_H_
#define TRIMS_SOURCE_DOWNLOAD_LANDING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trims/status.h"

namespace trims {

class DownloadLanding {
 public:
  virtual ~DownloadLanding() = default;
  // As long as the file, at a multiple of the page size, and at the same place each time. From now on its first
  // `end` bytes may be written to. RESOURCE_EXHAUSTED: no memory.
  virtual Result<std::span<std::byte>> Reach(uint64_t end) = 0;
  // The first `end` bytes are what they will be; `end` only rises.
  virtual void Ready(uint64_t end) = 0;
  // Once, when all are ready: 64 hexadecimal digits. Waits for them.
  virtual std::string Sha256() = 0;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_DOWNLOAD_LANDING_H_
