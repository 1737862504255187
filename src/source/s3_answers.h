// What S3 answers with: the list of a bucket's objects, the name of an upload in parts, and errors.
//
//   TRIMS_ASSIGN_OR_RETURN(const S3Listing listing, ParseS3Listing(body));
//   listing.objects.front().key;  // "models/net/model.safetensors"
//
// Source: Amazon S3 API reference, ListObjectsV2, CreateMultipartUpload, CompleteMultipartUpload and error
// responses. Thread-safety: pure functions.
#ifndef TRIMS_SOURCE_S3_ANSWERS_H_
#define TRIMS_SOURCE_S3_ANSWERS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims {

struct S3Object {
  std::string key;
  uint64_t length = 0;
  std::string etag;  // with its quotes
};

struct S3Listing {
  std::vector<S3Object> objects;
  std::string continuation;  // asks for what follows; empty: this is all
};

struct S3Error {
  std::string code;  // "NoSuchKey"; empty: the body was no S3 error
  std::string message;
  std::string region;  // where the bucket is, if that is what is wrong
};

// Asked for with encoding-type=url. INVALID_ARGUMENT: no such list, or more than 10 000 objects.
Result<S3Listing> ParseS3Listing(std::string_view xml);

// What names an upload in parts that was begun. INVALID_ARGUMENT: no such answer.
Result<std::string> ParseS3UploadId(std::string_view xml);

// Whether the answer says that the parts are one object now: one that begins as a success may turn out to be
// an error.
bool SaysS3Completed(std::string_view xml);

// What is sent to have parts made one object; their ETags in order, with quotes.
std::string S3CompletionXml(const std::vector<std::string>& etags);

S3Error ParseS3Error(std::string_view xml);

}  // namespace trims

#endif  // TRIMS_SOURCE_S3_ANSWERS_H_
