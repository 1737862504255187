#include "source/s3_store.h"

#include <charconv>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/shown_name.h"
#include "source/percent.h"
#include "source/s3_answers.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

constexpr size_t kPageOfKeys = 1000;
constexpr size_t kMaxPages = 2 * kMaxModelFiles / kPageOfKeys;  // pages may be short

std::string BucketUrl(const std::string& bucket, const S3Location& location) {
  if (!location.endpoint.empty()) return location.endpoint + "/" + bucket;
  const std::string host = "s3." + location.region + ".amazonaws.com" +
                           (location.region.starts_with("cn-") ? ".cn" : "");
  if (bucket.find('.') != std::string::npos) return "https://" + host + "/" + bucket;
  return "https://" + bucket + "." + host;
}

bool SaysExpired(const S3Error& error) {
  return error.code == "ExpiredToken" || error.code == "ExpiredTokenException" ||
         error.code == "TokenRefreshRequired";
}

// What the person can do about it.
std::string NextStep(const S3Error& error, int status, bool anonymous) {
  if (error.code == "NoSuchBucket") return "look for the bucket's name, and at AWS_ENDPOINT_URL";
  if (error.code == "RequestTimeTooSkewed") return "set this machine's clock";
  if (SaysExpired(error)) return "renew the credentials that the daemon was started with";
  if (status == 404) return "look for the key's name; a prefix ends in '/'";
  if (status == 401 || status == 403) {
    return anonymous
               ? "the daemon has no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                 "or AWS_PROFILE, "
                 "where it is started (docs/sources.md)"
               : "look whether these credentials may read the bucket (s3:ListBucket, s3:GetObject)";
  }
  return status == 429 || status >= 500 ? "try again" : "look at AWS_REGION and AWS_ENDPOINT_URL";
}

Result<uint64_t> LengthOf(const SmallReply& reply, const std::string& what) {
  const std::string_view text = reply.Header("content-length");
  uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  const bool good = !text.empty() && error == std::errc() && end == text.data() + text.size();
  if (good && length <= kMaxModelBytes) return length;
  return Status(StatusCode::kInvalidArgument,
                "'" + what + "': expected its length, the server says '" + ShownName(text) + "'",
                "look what answers at the endpoint: it is no S3");
}

}  // namespace

S3Store::S3Store(SourceUri uri, S3Location location, AwsCredentialSource* credentials,
                 SmallExchange exchange)
    : uri_(std::move(uri)),
      location_(std::move(location)),
      credentials_(credentials),
      exchange_(std::move(exchange)),
      bucket_url_(BucketUrl(uri_.authority, location_)) {}

std::string S3Store::UrlOf(const std::string& key) const {
  return bucket_url_ + "/" + PercentEncodeStrictly(key, "/");
}

Result<RemoteRequest> S3Store::RequestFor(const RemoteFile& file) {
  TRIMS_ASSIGN_OR_RETURN(AwsCredentials credentials, credentials_->Get());
  RemoteRequest request{.url = file.url};
  if (!credentials.anonymous())
    request.signing = AwsSigning{std::move(credentials), location_.region};
  return request;
}

// Once more with new credentials, where the old ones have expired.
Result<SmallReply> S3Store::Ask(SmallRequest request) {
  for (bool again = false;; again = true) {
    TRIMS_ASSIGN_OR_RETURN(RemoteRequest signed_one, RequestFor({.name = {}, .url = request.url}));
    request.signing = std::move(signed_one.signing);
    TRIMS_ASSIGN_OR_RETURN(SmallReply reply, exchange_(request));
    if (again || reply.status < 400 || !SaysExpired(ParseS3Error(reply.body))) return reply;
    credentials_->Forget();
  }
}

Status S3Store::WhyNot(const SmallReply& reply) {
  const S3Error error = ParseS3Error(reply.body);
  std::string region = error.region;
  if (region.empty()) region = reply.Header("x-amz-bucket-region");
  const std::string answer = "'" + uri_.ToString() + "': the server answers " +
                             std::to_string(reply.status) +
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
                NextStep(error, reply.status, anonymous));
}

Result<std::vector<RemoteFile>> S3Store::List() {
  std::vector<RemoteFile> files;
  if (IsPrefix()) {
    TRIMS_ASSIGN_OR_RETURN(files, ListPrefix());
    if (files.empty()) {
      return Status(StatusCode::kNotFound, "there is no key beneath '" + uri_.ToString() + "'",
                    "look for the prefix's name: aws s3 ls");
    }
  } else {
    TRIMS_ASSIGN_OR_RETURN(RemoteFile file, LookAtKey());
    files.push_back(std::move(file));
  }
  TRIMS_RETURN_IF_ERROR(CheckListing(&files, uri_.ToString()));
  return files;
}

Result<std::vector<RemoteFile>> S3Store::ListPrefix() {
  std::vector<RemoteFile> files;
  std::string continuation;
  for (size_t page = 0; page < kMaxPages; ++page) {
    // Sorted by name, as a signature takes them.
    std::string query = continuation.empty()
                            ? "?"
                            : "?continuation-token=" + PercentEncodeStrictly(continuation) + "&";
    query += "encoding-type=url&list-type=2&max-keys=" + std::to_string(kPageOfKeys) +
             "&prefix=" + PercentEncodeStrictly(uri_.path);
    TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, Ask({.url = bucket_url_ + "/" + query}));
    if (reply.status != 200) return WhyNot(reply);
    TRIMS_ASSIGN_OR_RETURN(S3Listing listing, ParseS3Listing(reply.body));
    for (S3Object& object : listing.objects) {
      if (!object.key.starts_with(uri_.path)) continue;
      const bool folder =
          object.key.ends_with('/') && object.length == 0;  // made by a browser of buckets
      if (folder) continue;
      files.push_back({.name = object.key.substr(uri_.path.size()),
                       .length = object.length,
                       .etag = std::move(object.etag),
                       .url = UrlOf(object.key)});
    }
    if (listing.continuation.empty()) return files;
    if (files.size() > kMaxModelFiles) break;
    continuation = std::move(listing.continuation);
  }
  return Status(
      StatusCode::kInvalidArgument,
      "'" + uri_.ToString() + "' holds more than " + std::to_string(kMaxModelFiles) + " keys",
      "name the model's own prefix, or its key");
}

Result<RemoteFile> S3Store::LookAtKey() {
  const std::string url = UrlOf(uri_.path);
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, Ask({.method = "HEAD", .url = url}));
  if (reply.status != 200) {
    // The answer to HEAD has no body, so no reason: one byte is asked for to get it.
    TRIMS_ASSIGN_OR_RETURN(const SmallReply reason,
                           Ask({.url = url, .headers = {"Range: bytes=0-0"}}));
    return WhyNot(reason.status >= 300 ? reason : reply);
  }
  RemoteFile file{.name = uri_.path.substr(uri_.path.rfind('/') + 1),
                  .etag = std::string(reply.Header("etag")),
                  .url = url};
  TRIMS_ASSIGN_OR_RETURN(file.length, LengthOf(reply, uri_.ToString()));
  return file;
}

}  // namespace trims
