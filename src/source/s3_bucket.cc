#include "source/s3_bucket.h"

#include <utility>

#include "base/macros.h"
#include "base/shown_name.h"
#include "source/percent.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

std::string BucketUrl(const std::string& bucket, const S3Location& location) {
  if (!location.endpoint.empty()) return location.endpoint + "/" + bucket;
  const std::string host = "s3." + location.region + ".amazonaws.com" +
                           (location.region.starts_with("cn-") ? ".cn" : "");
  if (bucket.find('.') != std::string::npos) return "https://" + host + "/" + bucket;
  return "https://" + bucket + "." + host;
}

std::string WhoMay(bool anonymous, S3Bucket::Access access) {
  if (anonymous) {
    return "the daemon has no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
           "AWS_PROFILE, where it is started (docs/sources.md)";
  }
  if (access == S3Bucket::Access::kRead)
    return "look whether these credentials may read the bucket (s3:ListBucket, s3:GetObject)";
  return "look whether these credentials may write to the bucket (s3:PutObject, "
         "s3:AbortMultipartUpload)";
}

// What the person can do about it.
std::string NextStep(const S3Error& error, int status, bool anonymous, S3Bucket::Access access) {
  if (error.code == "NoSuchBucket") return "look for the bucket's name, and at AWS_ENDPOINT_URL";
  if (error.code == "RequestTimeTooSkewed") return "set this machine's clock";
  if (SaysExpired(error)) return "renew the credentials that the daemon was started with";
  if (status == 404 && access == S3Bucket::Access::kRead)
    return "look for the key's name; a prefix ends in '/'";
  if (status == 401 || status == 403) return WhoMay(anonymous, access);
  return status == 404 || status == 429 || status >= 500
             ? "try again"
             : "look at AWS_REGION and AWS_ENDPOINT_URL";
}

}  // namespace

bool SaysExpired(const S3Error& error) {
  return error.code == "ExpiredToken" || error.code == "ExpiredTokenException" ||
         error.code == "TokenRefreshRequired";
}

S3Bucket::S3Bucket(const std::string& name, S3Location location, AwsCredentialSource* credentials,
                   SmallExchange exchange)
    : location_(std::move(location)),
      credentials_(credentials),
      exchange_(std::move(exchange)),
      url_(BucketUrl(name, location_)) {}

std::string S3Bucket::UrlOf(const std::string& key) const {
  return url_ + "/" + PercentEncodeStrictly(key, "/");
}

Result<std::optional<AwsSigning>> S3Bucket::Signing() {
  TRIMS_ASSIGN_OR_RETURN(AwsCredentials credentials, credentials_->Get());
  if (credentials.anonymous()) return std::optional<AwsSigning>();
  return std::optional(AwsSigning{std::move(credentials), location_.region});
}

Result<SmallReply> S3Bucket::Ask(SmallRequest request) {
  for (bool again = false;; again = true) {
    TRIMS_ASSIGN_OR_RETURN(request.signing, Signing());
    TRIMS_ASSIGN_OR_RETURN(SmallReply reply, exchange_(request));
    if (again || reply.status < 400 || !SaysExpired(ParseS3Error(reply.body))) return reply;
    Forget();
  }
}

Status S3Bucket::WhyNot(const std::string& uri, const SmallReply& reply, Access access) {
  const S3Error error = ParseS3Error(reply.body);
  std::string region = error.region;
  if (region.empty()) region = reply.Header("x-amz-bucket-region");
  const std::string answer = "'" + uri + "': the server answers " + std::to_string(reply.status) +
                             (error.code.empty() ? "" : " " + ShownName(error.code)) +
                             (error.message.empty() ? "" : " (" + ShownName(error.message) + ")");
  if (!region.empty() && region != location_.region) {
    return Status(StatusCode::kFailedPrecondition,
                  answer + ": the bucket is in " + ShownName(region),
                  "set AWS_REGION to that region where the daemon is started");
  }
  const Result<AwsCredentials> credentials = credentials_->Get();
  const bool anonymous = credentials.ok() && credentials->anonymous();
  return Status(HttpErrorCode(reply.status, StatusCode::kFailedPrecondition), answer,
                NextStep(error, reply.status, anonymous, access));
}

}  // namespace trims
