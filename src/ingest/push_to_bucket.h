// PushToBucket: as PushToFolder, into a bucket: s3://BUCKET/PREFIX/.
//
//   TRIMS_RETURN_IF_ERROR(PushToBucket(manifest, images, prepared_root, uri, {}).status());
//
// What is read is compared with the manifest's digests before it is sent (image_checker.h), and the manifest is
// sent when all else is there. What a former push has left is not sent again.
// Blocks. Thread-safety: safe.
#ifndef TRIMS_INGEST_PUSH_TO_BUCKET_H_
#define TRIMS_INGEST_PUSH_TO_BUCKET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trims/status.h"

#include "format/image.h"
#include "format/manifest.h"
#include "ingest/push_calls.h"
#include "source/open_remote_store.h"
#include "source/source_uri.h"

namespace trims {

// `images` are all of the manifest's. The bytes of the model, whether they had to be sent or not. DATA_LOSS: what lies here is damaged; errors as
// UploadToS3's. Of `options` the calls' cancel counts.
Result<uint64_t> PushToBucket(const Manifest& manifest, const std::vector<ImagePtr>& images,
                              const std::string& prepared_root, const SourceUri& uri,
                              const PushCalls& calls, RemoteStoreOptions options = {});

}  // namespace trims

#endif  // TRIMS_INGEST_PUSH_TO_BUCKET_H_
