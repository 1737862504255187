// LandedFile: a file that comes from a network into host memory as it will be shared, hashed on the way: as one
// stream, which is what its model is known by, and by chunks, which is what its extent is.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto landing, LandedFile::Start(file.name, file.length, pages));
//   TRIMS_RETURN_IF_ERROR(Download(&store, {file}, place, {.landing = landing.get()}));
//   TRIMS_ASSIGN_OR_RETURN(LandedContent content, landing->Finish());
//
// Memory is allocated a little ahead of what comes. Thread-safety: one thread; the memory as DownloadLanding says.
#ifndef TRIMS_LOAD_LANDED_FILE_H_
#define TRIMS_LOAD_LANDED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "trims/status.h"

#include "load/chunk_hasher.h"
#include "load/stream_hasher.h"
#include "load/tier.h"
#include "source/download_landing.h"
#include "store/host_memory.h"
#include "store/resident_bytes.h"

namespace trims {

// The whole file in one sealed extent.
struct LandedContent {
  std::string sha256;     // of the file
  ExtentDigests digests;  // both
  Handle extent;
};

class LandedFile final : public DownloadLanding {
 public:
  // `length` > 0. RESOURCE_EXHAUSTED: no memory, descriptors or threads.
  static Result<std::unique_ptr<LandedFile>> Start(const std::string& name, uint64_t length,
                                                   HugePagePolicy pages);

  Result<std::span<std::byte>> Reach(uint64_t end) override;
  void Ready(uint64_t end) override;
  std::string Sha256() override;

  // Once, when all is ready and nobody reads or writes it any more. RESOURCE_EXHAUSTED: it can't be sealed.
  Result<LandedContent> Finish();

 private:
  explicit LandedFile(ExtentWriter writer) : writer_(std::move(writer)) {}

  ExtentWriter writer_;
  uint64_t allocated_ = 0;
  std::string sha256_;   // once it is known
  FillControl control_;  // nobody follows
  // The first to go: they read the memory.
  std::unique_ptr<StreamHasher> stream_;
  std::unique_ptr<ChunkHasher> chunks_;
};

}  // namespace trims

#endif  // TRIMS_LOAD_LANDED_FILE_H_
