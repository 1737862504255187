#include "source/endpoint.h"

#include <algorithm>

#include "base/macros.h"
#include "source/remote_uri.h"

namespace trims {

std::string_view Endpoint::host() const {
  const std::string_view text = authority;
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  return text.substr(0, text.find(':'));
}

Result<Endpoint> ParseEndpoint(std::string_view url, const std::string& setting) {
  const Status bad(
      StatusCode::kInvalidArgument,
      setting + " is '" + ShownUrl(url) + "': expected https://HOST[:PORT] or http://HOST[:PORT]",
      "correct it where the daemon is started; a user, a password or a query can't stand in it");
  const bool tls = url.starts_with("https://");
  if (!tls && !url.starts_with("http://")) return bad;
  while (url.ends_with('/')) url.remove_suffix(1);
  // A source's URI has the same parts, but for its path, which has to name something.
  const Result<SourceUri> uri = ParseSourceUri(std::string(url) + "/x");
  if (!uri.ok() || !uri->query.empty()) return bad;
  return Endpoint{tls, uri->authority, uri->path.substr(0, uri->path.size() - 2)};
}

bool IsLoopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  const auto is_address = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  return host.starts_with("127.") && std::ranges::all_of(host, is_address) &&
         std::ranges::count(host, '.') == 3;
}

}  // namespace trims
