#include "source/remote_uri.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/macros.h"
#include "base/model_limits.h"
#include "base/plain_path.h"
#include "base/shown_name.h"
#include "source/percent.h"

namespace trims {
namespace {

using Scheme = SourceUri::Scheme;

constexpr size_t kMaxHostBytes = 253;
constexpr size_t kMaxKeyBytes = 1024;  // S3's own limit
constexpr size_t kMaxRepositoryBytes = 255;
constexpr size_t kMaxRevisionBytes = 255;
constexpr size_t kMaxTagBytes = 128;
constexpr char kMain[] = "main";

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsLower(c) || IsDigit(c) || (c >= 'A' && c <= 'Z'); }
bool IsOneOf(char c, std::string_view of) { return of.find(c) != std::string_view::npos; }

std::string HintFor(Scheme scheme) {
  switch (scheme) {
    case Scheme::kS3:
      return "write s3://BUCKET/KEY, or s3://BUCKET/PREFIX/ for all that is beneath it";
    case Scheme::kHf:
      return "write hf://ORG/REPO, hf://ORG/REPO@REVISION or hf://ORG/REPO@REVISION/FILE";
    case Scheme::kOci:
      return "write oci://REGISTRY/NAME:TAG or oci://REGISTRY/NAME@sha256:DIGEST";
    case Scheme::kFile:
    case Scheme::kHttp:
    case Scheme::kHttps:
      break;
  }
  return "write https://HOST/PATH";
}

// A text that is being taken apart, for its errors.
struct Subject {
  Status Bad(const std::string& what) const {
    return Status(StatusCode::kInvalidArgument, "source '" + ShownUrl(url) + "': " + what,
                  HintFor(scheme));
  }
  Status Secret(const std::string& what) const {
    return Status(
        StatusCode::kInvalidArgument, "source '" + ShownUrl(url) + "': " + what,
        "leave it away: credentials come from the daemon's environment and its user's files "
        "(docs/sources.md)");
  }

  Scheme scheme;
  std::string_view url;
};

struct Halves {
  std::string_view first;
  std::string_view rest;  // from the separator on
};

Halves SplitAt(std::string_view text, std::string_view any_of) {
  const size_t end = std::min(text.find_first_of(any_of), text.size());
  return {text.substr(0, end), text.substr(end)};
}

// Where the port's colon is; npos: there is none.
size_t PortColon(std::string_view authority) {
  const size_t bracket = authority.rfind(']');
  return authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
}

bool IsPort(std::string_view port) {
  if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, IsDigit)) return false;
  const int number = std::stoi(std::string(port));
  return number >= 1 && number <= 65535;
}

bool IsHost(std::string_view host) {
  if (host.empty() || host.size() > kMaxHostBytes) return false;
  if (host.front() == '[') {
    const std::string_view address = host.substr(1, host.size() - 2);
    return host.size() > 3 && host.back() == ']' && std::ranges::all_of(address, [](char c) {
             return IsDigit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
           });
  }
  return host.front() != '.' && host.front() != '-' && host.find("..") == std::string_view::npos &&
         std::ranges::all_of(host,
                             [](char c) { return IsLower(c) || IsDigit(c) || IsOneOf(c, ".-_"); });
}

Result<std::string> Authority(const Subject& subject, std::string_view text) {
  if (text.find('@') != std::string_view::npos) {
    return subject.Secret("it names a user or a password");
  }
  std::string authority = InLowerCase(text);
  const size_t colon = PortColon(authority);
  if (!IsHost(std::string_view(authority).substr(0, colon))) {
    return subject.Bad("expected a host's name after '://'");
  }
  const bool good =
      colon == std::string::npos || IsPort(std::string_view(authority).substr(colon + 1));
  if (!good) return subject.Bad("expected a port of 1 to 65535 after the host's ':'");
  return authority;
}

Result<std::string> Decoded(const Subject& subject, std::string_view text) {
  std::string decoded;
  if (text.find_first_of("?#") != std::string_view::npos) {
    return subject.Bad("it has a query or a fragment; write %3F for '?', %23 for '#'");
  }
  if (!PercentDecode(text, &decoded)) return subject.Bad("a '%' is not followed by a byte");
  return decoded;
}

bool IsSecretName(std::string_view name) {
  for (const std::string_view secret : {"sig", "auth", "key", "pwd", "pass"}) {
    if (name == secret) return true;
  }
  for (const std::string_view part : {"signature", "credential", "token", "secret", "password",
                                      "accesskey", "access_key", "apikey", "api_key", "api-key"}) {
    if (name.find(part) != std::string_view::npos) return true;
  }
  return false;
}

// Signed links expire, and whoever reads the catalog or the log could use them until then.
Status CheckQuery(const Subject& subject, std::string_view query) {
  while (!query.empty()) {
    const Halves parameter = SplitAt(query, "&;");
    std::string name;
    if (!PercentDecode(SplitAt(parameter.first, "=").first, &name)) {
      return subject.Bad("a '%' is not followed by a byte");
    }
    if (IsSecretName(InLowerCase(name))) {
      return subject.Secret("its query's '" + ShownName(name) + "' looks like a secret");
    }
    query = parameter.rest.substr(parameter.rest.empty() ? 0 : 1);
  }
  return Status();
}

bool IsUrlCharacter(char c) { return IsAlnum(c) || IsOneOf(c, "-._~!$&'()*+,;=:@/%"); }

Result<SourceUri> ParseHttp(const Subject& subject, std::string_view rest) {
  const Halves halves = SplitAt(rest, "/?#");
  SourceUri uri{.scheme = subject.scheme};
  TRIMS_ASSIGN_OR_RETURN(uri.authority, Authority(subject, halves.first));
  const Halves path = SplitAt(halves.rest, "?");
  const std::string_view query = path.rest.substr(path.rest.empty() ? 0 : 1);
  if (!std::ranges::all_of(path.first, IsUrlCharacter) ||
      !std::ranges::all_of(query, [](char c) { return IsUrlCharacter(c) || c == '?'; })) {
    return subject.Bad("it has a fragment, or bytes that have to be escaped, as %20 for a space");
  }
  std::string decoded;
  if (!PercentDecode(path.first, &decoded)) return subject.Bad("a '%' is not followed by a byte");
  if (decoded.size() > kMaxPathBytes || query.size() > kMaxPathBytes) {
    return subject.Bad("it is longer than " + std::to_string(kMaxPathBytes) + " bytes");
  }
  if (decoded.size() < 2 || !IsPlainPath(std::string_view(decoded).substr(1))) {
    return subject.Bad(
        "expected the path of a file after the host, without '..' and doubled slashes");
  }
  TRIMS_RETURN_IF_ERROR(CheckQuery(subject, query));
  uri.path = path.first;
  uri.query = query;
  return uri;
}

bool IsBucket(std::string_view name) {
  const auto may = [](char c) { return IsLower(c) || IsDigit(c) || c == '.' || c == '-'; };
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, may) &&
         !IsOneOf(name.front(), ".-") && !IsOneOf(name.back(), ".-") &&
         name.find("..") == std::string_view::npos;
}

Result<SourceUri> ParseS3(const Subject& subject, std::string_view rest) {
  const Halves halves = SplitAt(rest, "/?#");
  if (halves.first.find('@') != std::string_view::npos ||
      halves.first.find(':') != std::string_view::npos) {
    return subject.Secret("it names a key, a password or a port before the bucket");
  }
  SourceUri uri{.scheme = Scheme::kS3, .authority = std::string(halves.first)};
  if (!IsBucket(uri.authority)) {
    return subject.Bad(
        "expected a bucket's name of 3 to 63 lower-case letters, digits, '-' and '.'");
  }
  TRIMS_ASSIGN_OR_RETURN(uri.path, Decoded(subject, halves.rest));
  if (!uri.path.empty()) uri.path.erase(0, 1);
  std::string_view key = uri.path;
  if (key.ends_with('/')) key.remove_suffix(1);
  if (uri.path.size() > kMaxKeyBytes || (!uri.path.empty() && !IsPlainPath(key))) {
    return subject.Bad("expected a key of at most " + std::to_string(kMaxKeyBytes) +
                       " bytes of UTF-8, without empty, '.' and '..' parts");
  }
  return uri;
}

bool IsHubName(std::string_view name) {
  const auto may = [](char c) { return IsAlnum(c) || IsOneOf(c, "-_."); };
  return !name.empty() && name.size() <= 96 && std::ranges::all_of(name, may) &&
         !IsOneOf(name.front(), ".-") && name.find("..") == std::string_view::npos;
}

bool IsRevision(std::string_view revision) {
  const auto may_not = [](char c) { return IsOneOf(c, " ~^:?*[\\"); };
  return revision.size() <= kMaxRevisionBytes && IsPlainPath(revision) &&
         revision.find("..") == std::string_view::npos && revision.front() != '-' &&
         std::ranges::none_of(revision, may_not);
}

// Where a revision ends: at the next slash, but those of refs/pr/1 belong to it.
Halves SplitRevision(std::string_view text) {
  size_t end = text.find('/');
  if (text.starts_with("refs/")) {
    for (int more = 0; more < 2 && end != std::string_view::npos; ++more) {
      end = text.find('/', end + 1);
    }
  }
  end = std::min(end, text.size());
  return {text.substr(0, end), text.substr(end)};
}

Result<SourceUri> ParseHf(const Subject& subject, std::string_view rest) {
  const Halves org = SplitAt(rest, "/");
  const bool other = org.first == "datasets" || org.first == "spaces";
  if (other) return subject.Bad("only repositories of models can be read");
  const Halves name = SplitAt(org.rest.substr(org.rest.empty() ? 0 : 1), "/@");
  if (!IsHubName(org.first) || !IsHubName(name.first)) {
    return subject.Bad("expected ORG/REPO after '://'");
  }
  SourceUri uri{.scheme = Scheme::kHf};
  uri.repository = std::string(org.first) + "/" + std::string(name.first);
  std::string_view file = name.rest;
  uri.revision = kMain;
  if (file.starts_with('@')) {
    const Halves revision = SplitRevision(file.substr(1));
    TRIMS_ASSIGN_OR_RETURN(uri.revision, Decoded(subject, revision.first));
    if (!IsRevision(uri.revision))
      return subject.Bad("expected a branch, a tag or a commit after '@'");
    file = revision.rest;
  }
  if (file.ends_with('/')) file.remove_suffix(1);
  if (file.empty()) return uri;
  TRIMS_ASSIGN_OR_RETURN(uri.path, Decoded(subject, file.substr(1)));
  if (!IsPlainPath(uri.path))
    return subject.Bad("expected a file's name, without empty, '.' and '..' parts");
  return uri;
}

// Lower-case letters and digits, with single '.', one or two '_' or any number of '-' between them.
bool IsOciPart(std::string_view part) {
  const auto is_end = [](char c) { return IsLower(c) || IsDigit(c); };
  if (part.empty() || !is_end(part.front()) || !is_end(part.back())) return false;
  for (size_t i = 0; i < part.size(); ++i) {
    if (is_end(part[i])) continue;
    size_t end = i;
    while (part[end] == part[i]) ++end;  // which stops at the last character
    const size_t run = end - i;
    const bool good = is_end(part[end]) && (part[i] == '-' || (part[i] == '.' && run == 1) ||
                                            (part[i] == '_' && run <= 2));
    if (!good) return false;
    i = end;
  }
  return true;
}

bool IsOciName(std::string_view name) {
  if (name.empty() || name.size() > kMaxRepositoryBytes) return false;
  for (;;) {
    const Halves halves = SplitAt(name, "/");
    if (!IsOciPart(halves.first)) return false;
    if (halves.rest.empty()) return true;
    name = halves.rest.substr(1);
  }
}

bool IsTag(std::string_view tag) {
  return !tag.empty() && tag.size() <= kMaxTagBytes && !IsOneOf(tag.front(), ".-") &&
         std::ranges::all_of(tag, [](char c) { return IsAlnum(c) || IsOneOf(c, "._-"); });
}

bool IsOciDigest(std::string_view text) {
  constexpr std::string_view kSha256 = "sha256:";
  const auto is_hex = [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); };
  return text.size() == kSha256.size() + 64 && text.starts_with(kSha256) &&
         std::ranges::all_of(text.substr(kSha256.size()), is_hex);
}

Result<SourceUri> ParseOci(const Subject& subject, std::string_view rest) {
  const Halves halves = SplitAt(rest, "/?#");
  SourceUri uri{.scheme = Scheme::kOci};
  TRIMS_ASSIGN_OR_RETURN(uri.authority, Authority(subject, halves.first));
  const Halves name = SplitAt(halves.rest.substr(halves.rest.empty() ? 0 : 1), ":@");
  if (!IsOciName(name.first)) {
    return subject.Bad("expected the name of a repository, in lower case, after the registry");
  }
  uri.repository = name.first;
  uri.revision = name.rest.substr(name.rest.empty() ? 0 : 1);
  const bool good = name.rest.starts_with('@') ? IsOciDigest(uri.revision) : IsTag(uri.revision);
  if (!good) return subject.Bad("expected a tag after ':', or sha256: and 64 digits after '@'");
  return uri;
}

Result<SourceUri> ParseRest(const Subject& subject, std::string_view rest) {
  switch (subject.scheme) {
    case Scheme::kHttp:
    case Scheme::kHttps:
      return ParseHttp(subject, rest);
    case Scheme::kS3:
      return ParseS3(subject, rest);
    case Scheme::kHf:
      return ParseHf(subject, rest);
    case Scheme::kOci:
      return ParseOci(subject, rest);
    case Scheme::kFile:
      break;
  }
  return Status(StatusCode::kInternal, "a file's URL was taken for a network's");
}

bool MayHoldPassword(std::string_view authority) {
  if (authority.find('@') != std::string_view::npos) return true;
  const size_t colon = PortColon(authority);
  return colon != std::string_view::npos && !IsPort(authority.substr(colon + 1));
}

}  // namespace

std::string ShownUrl(std::string_view url) {
  const Halves halves = SplitAt(url, "?");
  const std::string cut = halves.rest.empty() ? "" : "?…";
  const size_t scheme = halves.first.find("://");
  if (scheme == std::string_view::npos) return ShownName(std::string(halves.first) + cut);
  std::string_view rest = halves.first.substr(scheme + 3);
  std::string shown(url.substr(0, scheme + 3));
  if (MayHoldPassword(SplitAt(rest, "/").first)) {
    const size_t at = rest.rfind('@');
    shown += "…";
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at);
  }
  shown += rest;
  return ShownName(shown + cut);
}

Result<SourceUri> ParseRemoteUri(Scheme scheme, std::string_view url) {
  const Subject subject{scheme, url};
  const size_t start = SchemeName(scheme).size() + std::string_view("://").size();
  TRIMS_ASSIGN_OR_RETURN(SourceUri uri, ParseRest(subject, url.substr(start)));
  if (uri.ToString().size() <= kMaxSourceBytes) return uri;
  return subject.Bad("it is longer than " + std::to_string(kMaxSourceBytes) + " bytes");
}

std::string RemoteUriText(const SourceUri& uri) {
  const std::string start = std::string(SchemeName(uri.scheme)) + "://";
  switch (uri.scheme) {
    case Scheme::kS3:
      return start + uri.authority + "/" + PercentEncode(uri.path);
    case Scheme::kHf:
      return start + uri.repository + "@" + PercentEncode(uri.revision, "/@") +
             (uri.path.empty() ? "" : "/" + PercentEncode(uri.path));
    case Scheme::kOci:
      return start + uri.authority + "/" + uri.repository +
             (uri.revision.starts_with("sha256:") ? "@" : ":") + uri.revision;
    case Scheme::kHttp:
    case Scheme::kHttps:
    case Scheme::kFile:
      break;
  }
  return start + uri.authority + uri.path + (uri.query.empty() ? "" : "?" + uri.query);
}

}  // namespace trims
