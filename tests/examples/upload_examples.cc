// The examples of what sends models to buckets.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel_token.h"
#include "base/macros.h"
#include "source/push_destination.h"
#include "source/s3_bucket.h"
#include "source/s3_destination.h"
#include "source/s3_multipart.h"
#include "source/s3_upload.h"
#include "source/upload_progress.h"

namespace trims {
namespace {

void Put(const std::string&, const std::string&) {}

void PushDestinationExample() {
  // example: src/source/push_destination.h
  ParsePushDestination("s3://bucket/models/ocr/")->path;  // "models/ocr/"
  ParsePushDestination("file:///exports/ocr")->path;      // "/exports/ocr"
  // end
}

Status S3BucketExample(const S3Location& location, AwsCredentialSource& credentials,
                       const SmallExchange& exchange) {
  // example: src/source/s3_bucket.h
  S3Bucket bucket("models", location, &credentials, exchange);
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply,
                         bucket.Ask({.url = bucket.UrlOf("ocr/trims.json")}));
  if (reply.status != 200) return bucket.WhyNot("s3://models/ocr/trims.json", reply);
  // end
  return {};
}

Status S3DestinationExample(const SourceUri& uri, const std::vector<UploadFile>& files,
                            const std::function<void(uint64_t, uint64_t)>& progress) {
  CancelToken cancel;
  // example: src/source/s3_destination.h
  TRIMS_ASSIGN_OR_RETURN(const auto destination, S3Destination::Open(uri, {.cancel = &cancel}));
  TRIMS_RETURN_IF_ERROR(destination->Upload(files, progress));
  // end
  return {};
}

Status S3MultipartExample(S3Bucket& bucket, const std::string& key, const std::string& uri,
                          const std::vector<std::string>& headers, const std::string& part,
                          const std::vector<std::string>& etags) {
  // example: src/source/s3_multipart.h
  TRIMS_ASSIGN_OR_RETURN(S3Multipart upload, S3Multipart::Begin(&bucket, key, uri, headers));
  Put(upload.UrlOfPart(0), part);  // and all others
  TRIMS_RETURN_IF_ERROR(upload.Complete(etags));
  // end
  return {};
}

Status S3UploadExample(S3Bucket& bucket, S3Bucket& cleanup, const SourceUri& uri,
                       const LengthsByName& lengths, const std::vector<UploadFile>& files) {
  CancelToken cancel;
  // example: src/source/s3_upload.h
  const S3Target target{.bucket = &bucket, .cleanup = &cleanup, .prefix = uri, .there = lengths};
  TRIMS_RETURN_IF_ERROR(UploadToS3(target, files, {.cancel = &cancel}));
  // end
  return {};
}

void UploadProgressExample(uint64_t total, const UploadProgress::Tell& tell) {
  // example: src/source/upload_progress.h
  UploadProgress progress(total, tell);
  progress.Sent(3, 4096);  // of the request of that tag, so far
  progress.End(3, 8192);   // all of it is there
  // end
}

}  // namespace
}  // namespace trims
