// S3Store: a key, or all keys beneath a prefix, of a bucket on S3 or a service like it.
//
//   S3Store store(uri, location, &credentials, exchange);
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
//
// A prefix's files are named by what follows it; a single key's by its last part.
// Thread-safety: as RemoteStore says.
#ifndef TRIMS_SOURCE_S3_STORE_H_
#define TRIMS_SOURCE_S3_STORE_H_

#include <string>
#include <vector>

#include "trims/status.h"

#include "source/aws_credentials.h"
#include "source/remote_store.h"
#include "source/s3_bucket.h"
#include "source/small_exchange.h"
#include "source/source_uri.h"

namespace trims {

class S3Store final : public RemoteStore {
 public:
  // `uri` is of Scheme::kS3; `credentials` outlives the store.
  S3Store(SourceUri uri, S3Location location, AwsCredentialSource* credentials,
          SmallExchange exchange);

  Result<std::vector<RemoteFile>> List() override;
  Result<RemoteRequest> RequestFor(const RemoteFile& file) override;
  void Refused() override { bucket_.Forget(); }

 private:
  bool IsPrefix() const { return uri_.path.empty() || uri_.path.ends_with('/'); }
  Result<std::vector<RemoteFile>> ListPrefix();
  Result<RemoteFile> LookAtKey();

  const SourceUri uri_;
  S3Bucket bucket_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_S3_STORE_H_
