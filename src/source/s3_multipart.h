// S3Multipart: an object of a bucket that is sent in parts: it isn't there before all of them are, and what
// is given up leaves nothing behind.
//
//   TRIMS_ASSIGN_OR_RETURN(S3Multipart upload, S3Multipart::Begin(&bucket, key, uri, headers));
//   Put(upload.UrlOfPart(0), part);              // and all others
//   TRIMS_RETURN_IF_ERROR(upload.Complete(etags));
//
// Who ends without Complete() having gone well calls Abort(). Source: Amazon S3 API reference.
// Thread-safety: one thread.
#ifndef TRIMS_SOURCE_S3_MULTIPART_H_
#define TRIMS_SOURCE_S3_MULTIPART_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "source/s3_bucket.h"

namespace trims {

inline constexpr size_t kMaxPartsOfUpload = 10'000;

class S3Multipart {
 public:
  // `headers` are the object's. `uri` is for messages, `bucket` outlives it. Errors as S3Bucket's.
  static Result<S3Multipart> Begin(S3Bucket* bucket, std::string key, std::string uri,
                                   std::vector<std::string> headers);

  std::string UrlOfPart(size_t number) const;  // from 0 on

  // The parts' ETags, in order. NOT_FOUND: there is no such upload any more, as after an answer that was
  // lost; other errors as S3Bucket's.
  Status Complete(const std::vector<std::string>& etags);

  // The parts that are there go; asked through `bucket`, since that of before may have been cancelled.
  // NOT_FOUND: there is no such upload any more.
  Status Abort(S3Bucket* bucket) const;

 private:
  S3Multipart(S3Bucket* bucket, std::string key, std::string uri, std::string id)
      : bucket_(bucket), key_(std::move(key)), uri_(std::move(uri)), id_(std::move(id)) {}
  std::string Url(S3Bucket* bucket) const;

  S3Bucket* bucket_;
  std::string key_;
  std::string uri_;
  std::string id_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_S3_MULTIPART_H_
