// RecordDigests: what a model that was just prepared is known by, said by the daemon and not by the
// sandbox that met the untrusted bytes.
//
//   TRIMS_RETURN_IF_ERROR(RecordDigests(incoming, &manifest));
//   manifest.variants[0].extents[0].sha256;  // of what lies there now
//
// Reads everything once, on all processors, mostly out of the page cache. Blocks: on a worker.
// Thread-safety: safe.
#ifndef TRIMS_INGEST_RECORD_DIGESTS_H_
#define TRIMS_INGEST_RECORD_DIGESTS_H_

#include <string>

#include "trims/status.h"

#include "format/image.h"
#include "format/manifest.h"

namespace trims {

// `manifest` is the preparer's, with the model's source, and `incoming` the folder that it filled. What
// the preparer saw has to be there still: FAILED_PRECONDITION if a chunk has another sum, so that files
// which change meanwhile can't be added. Errors as DigestVariant's.
Status RecordDigests(const std::string& incoming, Manifest* manifest);

// The same of one variant, whose image it is.
Status RecordVariantDigests(const Image& image, const std::string& incoming,
                            ManifestVariant* variant);

}  // namespace trims

#endif  // TRIMS_INGEST_RECORD_DIGESTS_H_
