#include "source/http_request_of.h"

#include <optional>
#include <utility>

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

}  // namespace trims
