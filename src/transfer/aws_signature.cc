#include "transfer/aws_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <ctime>
#include <span>
#include <string_view>

#include "base/sha256.h"
#include "transfer/header_line.h"

namespace trims {
namespace {

struct UrlParts {
  std::string host;
  std::string path;
  std::string query;
};

UrlParts PartsOf(std::string_view url) {
  const bool tls = url.starts_with("https://");
  url.remove_prefix(std::min(url.find("://") + 3, url.size()));
  const size_t path = std::min(url.find_first_of("/?"), url.size());
  UrlParts parts{.host = std::string(url.substr(0, path)), .path = {}, .query = {}};
  // As it is sent: without the port that the scheme has anyhow.
  const std::string_view usual = tls ? ":443" : ":80";
  if (parts.host.ends_with(usual)) parts.host.resize(parts.host.size() - usual.size());
  const std::string_view rest = url.substr(path);
  const size_t query = std::min(rest.find('?'), rest.size());
  parts.path = query == 0 ? "/" : std::string(rest.substr(0, query));
  if (query < rest.size()) parts.query = rest.substr(query + 1);
  return parts;
}

std::string Hmac(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &length);
  return {reinterpret_cast<const char*>(digest), length};
}

std::string HexDigest(std::string_view text) { return Sha256Hex(std::as_bytes(std::span(text))); }

std::string UtcText(std::chrono::system_clock::time_point now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc = {};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &utc)};
}

// The last part, and the one before it, of "aws:amz:<region>:<service>".
std::string ScopeOf(const std::string& day, std::string_view scope) {
  const size_t service = scope.rfind(':');
  const size_t region = scope.rfind(':', service - 1);
  return day + "/" + std::string(scope.substr(region + 1, service - region - 1)) + "/" +
         std::string(scope.substr(service + 1)) + "/aws4_request";
}

// Each part of the scope is signed with the signature of those before it.
std::string SigningKey(const std::string& secret, std::string_view scope) {
  std::string key = "AWS4" + secret;
  while (!scope.empty()) {
    const size_t end = std::min(scope.find('/'), scope.size());
    key = Hmac(key, scope.substr(0, end));
    scope.remove_prefix(std::min(end + 1, scope.size()));
  }
  return key;
}

std::string_view NameOf(std::string_view line) { return line.substr(0, line.find(':')); }

// "name:value", if it is a header that is signed.
void AddSigned(std::string_view header, std::vector<std::string>* lines) {
  const HeaderLine line = ParseHeaderLine(header);
  if (line.name.starts_with("x-amz-")) lines->push_back(line.name + ":" + std::string(line.value));
}

std::string NamesOf(const std::vector<std::string>& lines) {
  std::string names = "host";
  for (const std::string& line : lines) names.append(";").append(NameOf(line));
  return names;
}

}  // namespace

std::vector<std::string> AwsSignatureHeaders(const HttpRequest& request,
                                             std::chrono::system_clock::time_point now) {
  const HttpSigning& signing = *request.signing;
  const UrlParts url = PartsOf(request.url);
  const std::string time = UtcText(now);
  const std::string payload =
      request.body_sha256.empty() ? HexDigest(request.body) : request.body_sha256;
  std::vector<std::string> sent = {"x-amz-content-sha256:" + payload, "x-amz-date:" + time};
  if (!signing.session_token.empty())
    sent.push_back("x-amz-security-token:" + signing.session_token);
  std::vector<std::string> lines = sent;
  for (const std::string& header : request.headers) AddSigned(header, &lines);
  std::ranges::sort(lines, {}, NameOf);
  const std::string names = NamesOf(lines);
  std::string canonical =
      request.method + "\n" + url.path + "\n" + url.query + "\nhost:" + url.host + "\n";
  for (const std::string& line : lines) canonical += line + "\n";
  canonical += "\n" + names + "\n" + payload;
  const std::string scope = ScopeOf(time.substr(0, 8), signing.scope);
  const std::string text = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + HexDigest(canonical);
  const std::string signature = Hmac(SigningKey(signing.secret_key, scope), text);
  sent.push_back("Authorization: AWS4-HMAC-SHA256 Credential=" + signing.access_key + "/" + scope +
                 ", SignedHeaders=" + names +
                 ", Signature=" + HexDigits(std::as_bytes(std::span(signature))));
  return sent;
}

}  // namespace trims
