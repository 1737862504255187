#include "source/http_request_of.h"

#include <optional>
#include <utility>

#include "base/macros.h"

namespace trims {
namespace {

std::optional<HttpSigning> SigningOf(const std::optional<AwsSigning>& signing) {
  if (!signing) return std::nullopt;
  const AwsCredentials& credentials = signing->credentials;
  return HttpSigning{.scope = "aws:amz:" + signing->region + ":" + signing->service,
                     .access_key = credentials.access_key_id,
                     .secret_key = credentials.secret_access_key.Reveal(),
                     .session_token = credentials.session_token.Reveal()};
}

}  // namespace

HttpRequest HttpRequestOf(RemoteRequest request) {
  return {.url = std::move(request.url),
          .headers = std::move(request.headers),
          .signing = SigningOf(request.signing)};
}

HttpRequest HttpRequestOf(const SmallRequest& request) {
  return {.method = request.method,
          .url = request.url,
          .headers = request.headers,
          .signing = SigningOf(request.signing),
          .body = request.body,
          .follow_redirects = request.follow_redirects};
}

Result<std::shared_ptr<const HttpObject>> HttpObjectOf(RemoteStore* store, const RemoteFile& file) {
  TRIMS_ASSIGN_OR_RETURN(RemoteRequest request, store->RequestFor(file));
  auto object = std::make_shared<HttpObject>();
  object->request = HttpRequestOf(std::move(request));
  object->length = file.length;
  object->etag = file.etag;
  // Servers of one object differ in its date, of which a SHA-256 needs nothing.
  if (file.sha256.empty()) object->last_modified = file.last_modified;
  return std::shared_ptr<const HttpObject>(std::move(object));
}

}  // namespace trims
