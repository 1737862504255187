// DigestVariant: reads what a variant is made of and says what it is known by, without making it
// resident: when it is published, and when somebody wants to know whether it still is what it was.
//
//   FillControl control;
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<ExtentDigests> digests,
//                          DigestVariant(*image, prepared_root, &control));
//
// Every processor takes part, a chunk at a time, in 4 MiB of memory each. Blocks.
// Thread-safety: safe.
#ifndef TRIMS_LOAD_DIGEST_VARIANT_H_
#define TRIMS_LOAD_DIGEST_VARIANT_H_

#include <string>
#include <vector>

#include "trims/status.h"

#include "base/granularity.h"
#include "base/sha256.h"
#include "format/image.h"
#include "load/chunk_hasher.h"
#include "load/pacer.h"
#include "load/tier.h"

namespace trims {

// Both digests of each extent. `prepared_root` is the folder in which the image's folder lies; `pacer`,
// where there is one, holds it to a rate. Errors as ImageFiles::Open and reading have them; CANCELLED by the control, which is told what was hashed;
// RESOURCE_EXHAUSTED: no threads or memory.
Result<std::vector<ExtentDigests>> DigestVariant(const Image& image,
                                                 const std::string& prepared_root,
                                                 FillControl* control, Pacer* pacer = nullptr);

// What blocks are shared by.
struct BlockDigests {
  std::vector<uint64_t> xxh3;          // of each chunk
  std::vector<Sha256::Digest> blocks;  // of each block (kShareBlockBytes), the last may be shorter
};

// The same reading, for these. Of each extent.
Result<std::vector<BlockDigests>> DigestBlocks(const Image& image, const std::string& prepared_root,
                                               FillControl* control);

}  // namespace trims

#endif  // TRIMS_LOAD_DIGEST_VARIANT_H_
