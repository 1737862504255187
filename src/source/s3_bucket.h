// S3Bucket: signed requests to one bucket on S3 or a service like it, and what its answers mean.
//
//   S3Bucket bucket("models", location, &credentials, exchange);
//   TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, bucket.Ask({.url = bucket.UrlOf("ocr/trims.json")}));
//   if (reply.status != 200) return bucket.WhyNot("s3://models/ocr/trims.json", reply);
//
// On AWS's own endpoint the bucket is in the host's name (in the path, if it has dots, which TLS can't have
// there); on another endpoint it is in the path. Requests are signed unless there are no credentials.
// Source: Amazon S3 API reference. Thread-safety: safe.
#ifndef TRIMS_SOURCE_S3_BUCKET_H_
#define TRIMS_SOURCE_S3_BUCKET_H_

#include <cstdint>
#include <optional>
#include <string>

#include "trims/status.h"

#include "source/aws_credentials.h"
#include "source/aws_keys.h"
#include "source/s3_answers.h"
#include "source/small_exchange.h"

namespace trims {

class S3Bucket {
 public:
  // `credentials` outlives it.
  S3Bucket(const std::string& name, S3Location location, AwsCredentialSource* credentials,
           SmallExchange exchange);

  const std::string& url() const { return url_; }  // without a slash at its end
  std::string UrlOf(const std::string& key) const;

  // With credentials that are good now; nothing: there are none.
  Result<std::optional<AwsSigning>> Signing();
  // The service refused those of before.
  void Forget() { credentials_->Forget(); }

  // Any answer is one. Once more with new credentials, where the old ones have expired.
  Result<SmallReply> Ask(SmallRequest request);

  enum class Access : uint8_t { kRead, kWrite };
  // Of an answer that is no success: names what was asked for, the service's code and words, and what the
  // caller can do. FAILED_PRECONDITION: the bucket is in another region; others as HttpErrorCode().
  Status WhyNot(const std::string& uri, const SmallReply& reply, Access access = Access::kRead);

 private:
  const S3Location location_;
  AwsCredentialSource* const credentials_;
  const SmallExchange exchange_;
  const std::string url_;
};

// Whether it says that the credentials have expired.
bool SaysExpired(const S3Error& error);

}  // namespace trims

#endif  // TRIMS_SOURCE_S3_BUCKET_H_
