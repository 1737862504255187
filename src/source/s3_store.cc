#include "source/s3_store.h"

#include <charconv>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/shown_name.h"
#include "source/percent.h"
#include "source/s3_answers.h"

namespace trims {
namespace {

constexpr size_t kPageOfKeys = 1000;
constexpr size_t kMaxPages = 2 * kMaxModelFiles / kPageOfKeys;  // pages may be short

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
      bucket_(uri_.authority, std::move(location), credentials, std::move(exchange)) {}

Result<RemoteRequest> S3Store::RequestFor(const RemoteFile& file) {
  TRIMS_ASSIGN_OR_RETURN(std::optional<AwsSigning> signing, bucket_.Signing());
  return RemoteRequest{.url = file.url, .signing = std::move(signing)};
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
    TRIMS_ASSIGN_OR_RETURN(const SmallReply reply,
                           bucket_.Ask({.url = bucket_.url() + "/" + query}));
    if (reply.status != 200) return bucket_.WhyNot(uri_.ToString(), reply);
    TRIMS_ASSIGN_OR_RETURN(S3Listing listing, ParseS3Listing(reply.body));
    for (S3Object& object : listing.objects) {
      if (!object.key.starts_with(uri_.path)) continue;
      const bool folder =
          object.key.ends_with('/') && object.length == 0;  // made by a browser of buckets
      if (folder) continue;
      files.push_back({.name = object.key.substr(uri_.path.size()),
                       .length = object.length,
                       .etag = std::move(object.etag),
                       .url = bucket_.UrlOf(object.key)});
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
  const std::string url = bucket_.UrlOf(uri_.path);
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, bucket_.Ask({.method = "HEAD", .url = url}));
  if (reply.status != 200) {
    // The answer to HEAD has no body, so no reason: one byte is asked for to get it.
    TRIMS_ASSIGN_OR_RETURN(const SmallReply reason,
                           bucket_.Ask({.url = url, .headers = {"Range: bytes=0-0"}}));
    return bucket_.WhyNot(uri_.ToString(), reason.status >= 300 ? reason : reply);
  }
  RemoteFile file{.name = uri_.path.substr(uri_.path.rfind('/') + 1),
                  .etag = std::string(reply.Header("etag")),
                  .url = url};
  TRIMS_ASSIGN_OR_RETURN(file.length, LengthOf(reply, uri_.ToString()));
  return file;
}

}  // namespace trims
