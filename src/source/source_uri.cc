#include "source/source_uri.h"

#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"

namespace trims {
namespace {

constexpr std::string_view kScheme = "file:";
constexpr std::string_view kFollowLinks = "?links=follow";
constexpr std::string_view kHint = "write file:///absolute/path";

Status BadUrl(std::string_view url, const std::string& what) {
  return Status(StatusCode::kInvalidArgument,
                "source '" + std::string(url.substr(0, 256)) + "': " + what, std::string(kHint));
}

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// False: an escape that isn't two hexadecimal digits, or that of a zero byte.
bool PercentDecode(std::string_view text, std::string* decoded) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded->push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return false;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return false;
    decoded->push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded->find('\0') == std::string::npos;
}

// The path after scheme and host, still escaped.
Result<std::string_view> EscapedPath(std::string_view url) {
  std::string_view rest = url.substr(kScheme.size());
  if (!rest.starts_with("//")) return rest;  // file:/path, which RFC 8089 allows
  rest.remove_prefix(2);
  const size_t slash = rest.find('/');
  const std::string_view host = rest.substr(0, slash);
  if (!host.empty() && host != "localhost") {
    return BadUrl(url, "it names the host '" + std::string(host) + "', only this one can be read");
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

Status CheckScheme(std::string_view url) {
  if (url.starts_with(kScheme)) return Status();
  for (const std::string_view later : {"http://", "https://", "s3://", "gs://", "az://", "hf://"}) {
    if (!url.starts_with(later)) continue;
    return Status(StatusCode::kUnimplemented,
                  std::string(later) + " sources can't be read by this build",
                  "download the model and add it as file:///absolute/path");
  }
  return BadUrl(url, "expected a file:// URL");
}

bool NeedsEscape(unsigned char c) {
  constexpr std::string_view kNotInAPath = R"(%?#"<>[]\^`{|})";
  return c <= ' ' || c >= 0x7f || kNotInAPath.find(static_cast<char>(c)) != kNotInAPath.npos;
}

}  // namespace

Result<SourceUri> ParseSourceUri(std::string_view url) {
  TRIMS_RETURN_IF_ERROR(CheckScheme(url));
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

std::string SourceUri::ToString() const {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string url = "file://";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (NeedsEscape(byte)) {
      url.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    } else {
      url.push_back(c);
    }
  }
  if (follow_links) url += kFollowLinks;
  return url;
}

}  // namespace trims
