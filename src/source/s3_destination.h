// S3Destination: where files are sent to: a prefix of a bucket, with what it needs: credentials,
// connections.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto destination, S3Destination::Open(uri, {.cancel = &cancel}));
//   TRIMS_RETURN_IF_ERROR(destination->Upload(files, progress));
//
// Settings and credentials are those of a source there (source/aws_credentials.h).
// Thread-safety: one thread.
#ifndef TRIMS_SOURCE_S3_DESTINATION_H_
#define TRIMS_SOURCE_S3_DESTINATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trims/status.h"

#include "source/aws_credentials.h"
#include "source/connections.h"
#include "source/open_remote_store.h"
#include "source/s3_bucket.h"
#include "source/s3_upload.h"
#include "source/source_uri.h"
#include "transfer/http_client.h"

namespace trims {

class S3Destination {
 public:
  // `uri` is one of ParsePushDestination(), of Scheme::kS3. Asks nobody yet. INVALID_ARGUMENT: a setting
  // that can't be one.
  static Result<std::unique_ptr<S3Destination>> Open(const SourceUri& uri,
                                                     const RemoteStoreOptions& options);

  // Looks what is there, and sends what isn't (UploadToS3). Once.
  Status Upload(const std::vector<UploadFile>& files,
                const std::function<void(uint64_t done, uint64_t total)>& progress);

 private:
  S3Destination(const SourceUri& uri, const RemoteStoreOptions& options);
  Result<LengthsByName> LookWhatIsThere();

  const SourceUri uri_;
  const RemoteStoreOptions options_;
  Connections connections_;
  HttpClient cleanup_client_;  // for what is asked for after a cancel: it doesn't hear of one
  S3Location location_;
  std::optional<S3Bucket> bucket_;
  std::optional<S3Bucket> cleanup_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_S3_DESTINATION_H_
