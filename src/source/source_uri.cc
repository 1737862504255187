#include "source/source_uri.h"

#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "source/percent.h"
#include "source/remote_uri.h"

namespace trims {
namespace {

constexpr std::string_view kScheme = "file:";
constexpr std::string_view kFollowLinks = "?links=follow";
constexpr std::string_view kFileHint = "write file:///absolute/path";
constexpr std::string_view kForms =
    "write file:///absolute/path, https://HOST/FILE, s3://BUCKET/KEY, hf://ORG/REPO or "
    "oci://REGISTRY/NAME:TAG";

Status BadUrl(std::string_view url, const std::string& what, std::string_view hint = kFileHint) {
  return Status(StatusCode::kInvalidArgument, "source '" + ShownUrl(url) + "': " + what,
                std::string(hint));
}

// The path after scheme and host, still escaped.
Result<std::string_view> EscapedPath(std::string_view url) {
  std::string_view rest = url.substr(kScheme.size());
  if (!rest.starts_with("//")) return rest;  // file:/path, which RFC 8089 allows
  rest.remove_prefix(2);
  const size_t slash = rest.find('/');
  const std::string_view host = rest.substr(0, slash);
  if (!host.empty() && host != "localhost") {
    return BadUrl(url, "a file:// URL can't name a host, only files of this machine can be read");
  }
  return slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
}

// False: there is a ".." part.
bool Normalise(std::string_view path, std::string* normal) {
  while (!path.empty()) {
    const size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    if (part == "..") return false;
    if (part.empty() || part == ".") continue;
    normal->append("/").append(part);
  }
  if (normal->empty()) *normal = "/";
  return true;
}

Status UnknownScheme(std::string_view url) {
  for (const std::string_view later : {"gs://", "az://"}) {
    if (!url.starts_with(later)) continue;
    return Status(
        StatusCode::kUnimplemented, std::string(later) + " sources can't be read by this build",
        "download the model and add it as file:///absolute/path, or give its https:// URL");
  }
  return BadUrl(url, "expected a URL of a kind that can be read", kForms);
}

Result<SourceUri> ParseFileUri(std::string_view url) {
  const bool follow_links = url.ends_with(kFollowLinks);
  if (follow_links) url.remove_suffix(kFollowLinks.size());
  TRIMS_ASSIGN_OR_RETURN(const std::string_view escaped, EscapedPath(url));
  if (!escaped.starts_with('/')) return BadUrl(url, "the path is not absolute");
  if (escaped.find_first_of("?#") != std::string_view::npos) {
    return BadUrl(
        url, "only the query ?links=follow means something here; write %3F for '?', %23 for '#'");
  }
  std::string decoded;
  if (!PercentDecode(escaped, &decoded)) return BadUrl(url, "a '%' is not followed by a byte");
  if (decoded.size() > kMaxPathBytes)
    return BadUrl(url, "the path is longer than " + std::to_string(kMaxPathBytes) + " bytes");
  std::string path;
  if (!Normalise(decoded, &path)) return BadUrl(url, "the path has a '..' part");
  return SourceUri::OfPath(std::move(path), follow_links);
}

}  // namespace

std::string_view SchemeName(SourceUri::Scheme scheme) {
  switch (scheme) {
    case SourceUri::Scheme::kFile:
      return "file";
    case SourceUri::Scheme::kHttp:
      return "http";
    case SourceUri::Scheme::kHttps:
      return "https";
    case SourceUri::Scheme::kS3:
      return "s3";
    case SourceUri::Scheme::kHf:
      return "hf";
    case SourceUri::Scheme::kOci:
      return "oci";
  }
  return "";
}

Result<SourceUri> ParseSourceUri(std::string_view url) {
  if (url.starts_with(kScheme)) return ParseFileUri(url);
  for (const auto scheme :
       {SourceUri::Scheme::kHttp, SourceUri::Scheme::kHttps, SourceUri::Scheme::kS3,
        SourceUri::Scheme::kHf, SourceUri::Scheme::kOci}) {
    const std::string start = std::string(SchemeName(scheme)) + "://";
    if (url.starts_with(start)) return ParseRemoteUri(scheme, url);
  }
  return UnknownScheme(url);
}

std::string SourceUri::ToString() const {
  if (is_remote()) return RemoteUriText(*this);
  std::string url = "file://" + PercentEncode(path);
  if (follow_links) url += kFollowLinks;
  return url;
}

}  // namespace trims
