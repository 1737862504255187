#include "source/s3_multipart.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "base/macros.h"
#include "source/percent.h"

namespace trims {
namespace {

// A service may take minutes to make many parts one object.
constexpr Duration kCompletion = std::chrono::minutes(5);
constexpr Duration kCompletionOverall = std::chrono::minutes(12);
// A daemon that stops waits for it.
constexpr Duration kAbort = std::chrono::seconds(5);
constexpr Duration kAbortOverall = std::chrono::seconds(12);
constexpr int kCompletions = 3;

// That is inside of an answer which began as a success.
bool IsPassingError(std::string_view code) {
  constexpr std::array<std::string_view, 3> kPassing = {"InternalError", "ServiceUnavailable",
                                                        "SlowDown"};
  return std::ranges::find(kPassing, code) != kPassing.end();
}

}  // namespace

Result<S3Multipart> S3Multipart::Begin(S3Bucket* bucket, std::string key, std::string uri,
                                       std::vector<std::string> headers) {
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply,
                         bucket->Ask({.method = "POST",
                                      .url = bucket->UrlOf(key) + "?uploads=",
                                      .headers = std::move(headers)}));
  if (reply.status != 200) return bucket->WhyNot(uri, reply, S3Bucket::Access::kWrite);
  TRIMS_ASSIGN_OR_RETURN(std::string id, ParseS3UploadId(reply.body));
  return S3Multipart(bucket, std::move(key), std::move(uri), std::move(id));
}

std::string S3Multipart::UrlOfPart(size_t number) const {
  return bucket_->UrlOf(key_) + "?partNumber=" + std::to_string(number + 1) +
         "&uploadId=" + PercentEncodeStrictly(id_);
}

std::string S3Multipart::Url(S3Bucket* bucket) const {
  return bucket->UrlOf(key_) + "?uploadId=" + PercentEncodeStrictly(id_);
}

Status S3Multipart::Complete(const std::vector<std::string>& etags) {
  for (int attempt = 1;; ++attempt) {
    TRIMS_ASSIGN_OR_RETURN(SmallReply reply, bucket_->Ask({.method = "POST",
                                                           .url = Url(bucket_),
                                                           .headers = {"Content-Type: text/xml"},
                                                           .body = S3CompletionXml(etags),
                                                           .timeout = kCompletion,
                                                           .overall = kCompletionOverall}));
    if (reply.status == 200 && SaysS3Completed(reply.body)) return Status();
    const bool again = reply.status == 200 && IsPassingError(ParseS3Error(reply.body).code);
    if (again && attempt < kCompletions) continue;
    if (again) reply.status = 503;  // which it would have been, had it not begun as a success
    return bucket_->WhyNot(uri_, reply, S3Bucket::Access::kWrite);
  }
}

Status S3Multipart::Abort(S3Bucket* bucket) const {
  TRIMS_ASSIGN_OR_RETURN(
      const SmallReply reply,
      bucket->Ask(
          {.method = "DELETE", .url = Url(bucket), .timeout = kAbort, .overall = kAbortOverall}));
  const bool gone = reply.status >= 200 && reply.status < 300;
  return gone ? Status() : bucket->WhyNot(uri_, reply, S3Bucket::Access::kWrite);
}

}  // namespace trims
