#include "source/oci_store.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/macros.h"
#include "base/sha256.h"
#include "base/shown_name.h"
#include "format/json_node.h"
#include "source/endpoint.h"
#include "source/percent.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

constexpr std::string_view kSha256Prefix = "sha256:";
constexpr size_t kMaxRegistryToken = 64 * 1024;
constexpr char kAccept[] =
    "Accept: application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json";

std::string BaseOf(const SourceUri& uri) {
  const Endpoint host{.tls = true, .authority = uri.authority, .path = {}};
  return (IsLoopback(host.host()) ? "http://" : "https://") + uri.authority + "/v2/" +
         uri.repository;
}

// {"errors":[{"code":…,"message":…}]}: the first, for a message; empty: there is none.
std::string FirstError(std::string_view body) {
  const Result<nlohmann::json> document =
      ParseJson(body, {.max_bytes = size_t{1} << 20, .max_depth = 16});
  if (!document.ok() || !document->is_object() || !document->contains("errors")) return "";
  const nlohmann::json& errors = (*document)["errors"];
  if (!errors.is_array() || errors.empty() || !errors[0].is_object()) return "";
  std::string text;
  for (const char* part : {"code", "message"}) {
    const auto found = errors[0].find(part);
    if (found != errors[0].end() && found->is_string()) {
      text += " " + ShownName(found->get_ref<const std::string&>());
    }
  }
  return text;
}

Status NoToken(const std::string& realm, const std::string& what) {
  return Status(StatusCode::kPermissionDenied,
                "the registry's token service '" + realm + "' " + what,
                "look at the registry's name and at docker's configuration");
}

Result<std::string> TokenIn(const SmallReply& reply, const std::string& realm) {
  const Result<nlohmann::json> document =
      ParseJson(reply.body, {.max_bytes = size_t{1} << 20, .max_depth = 16});
  if (!document.ok() || !document->is_object())
    return NoToken(realm, "answers with something else than a token");
  for (const char* name : {"token", "access_token"}) {
    const auto found = document->find(name);
    if (found == document->end() || !found->is_string()) continue;
    std::string token = found->get<std::string>();
    const bool good = !token.empty() && token.size() <= kMaxRegistryToken &&
                      std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
    if (good) return token;
  }
  return NoToken(realm, "answers with something else than a token");
}

}  // namespace

OciStore::OciStore(SourceUri uri, Environment environment, SmallExchange exchange)
    : uri_(std::move(uri)),
      environment_(std::move(environment)),
      exchange_(std::move(exchange)),
      base_(BaseOf(uri_)) {}

void OciStore::Refused() {
  const MutexLock lock(mutex_);
  stale_ = true;
}

Result<SmallReply> OciStore::Ask(const std::string& url) {
  const MutexLock lock(mutex_);
  for (bool again = false;; again = true) {
    SmallRequest request{.url = url, .headers = {kAccept}};
    if (!authorization_.empty())
      request.headers.push_back("Authorization: " + authorization_.Reveal());
    TRIMS_ASSIGN_OR_RETURN(SmallReply reply, exchange_(request));
    if (again || reply.status != 401) return reply;
    TRIMS_ASSIGN_OR_RETURN(authorization_, LogIn(reply.Header("www-authenticate")));
    if (authorization_.empty()) return reply;
  }
}

Result<Secret> OciStore::LogIn(std::string_view header) {
  const std::optional<LoginChallenge> challenge = ParseChallenge(header);
  if (!challenge) return Secret();
  TRIMS_ASSIGN_OR_RETURN(const RegistryLogin login,
                         ReadRegistryLogin(environment_, uri_.authority));
  if (challenge->bearer) return GetToken(*challenge, login);
  return login.basic.empty() ? Secret() : Secret("Basic " + login.basic.Reveal());
}

Result<Secret> OciStore::GetToken(const LoginChallenge& challenge,
                                  const RegistryLogin& login) const {
  const size_t query = challenge.realm.find('?');
  TRIMS_ASSIGN_OR_RETURN(
      const Endpoint realm,
      ParseEndpoint(std::string_view(challenge.realm).substr(0, query), "the registry's realm"));
  const std::string shown = realm.ToString();
  if (!realm.tls && !IsLoopback(realm.host()))
    return NoToken(shown, "is not asked: expected https://");
  const std::string scope = "repository:" + uri_.repository + ":pull";
  SmallRequest request{.url = challenge.realm + (query == std::string::npos ? "?" : "&") +
                              "scope=" + PercentEncodeStrictly(scope)};
  if (!challenge.service.empty())
    request.url += "&service=" + PercentEncodeStrictly(challenge.service);
  if (!login.basic.empty())
    request.headers.push_back("Authorization: Basic " + login.basic.Reveal());
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, exchange_(request));
  if (reply.status != 200) {
    return NoToken(shown, "answers " + std::to_string(reply.status) + FirstError(reply.body) +
                              (login.helper.empty()
                                   ? ""
                                   : "; the helper '" + ShownName(login.helper) + "' is not run"));
  }
  TRIMS_ASSIGN_OR_RETURN(const std::string token, TokenIn(reply, shown));
  return Secret("Bearer " + token);
}

Status OciStore::WhyNot(const SmallReply& reply) const {
  const bool denied = reply.status == 401 || reply.status == 403;
  return Status(
      HttpErrorCode(reply.status, StatusCode::kFailedPrecondition),
      "'" + uri_.ToString() + "': the registry answers " + std::to_string(reply.status) +
          FirstError(reply.body),
      denied ? "look for the artifact's name; a private one takes an entry in docker's config.json "
               "('auths': docs/sources.md)"
      : reply.status == 404 ? "look for the artifact's name and tag"
                            : "try again");
}

Result<OciManifest> OciStore::Manifest(const std::string& reference) {
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, Ask(base_ + "/manifests/" + reference));
  if (reply.status != 200) return WhyNot(reply);
  std::string expected = reference;
  if (!expected.starts_with(kSha256Prefix)) expected = reply.Header("docker-content-digest");
  const std::string found =
      std::string(kSha256Prefix) + Sha256Hex(std::as_bytes(std::span(reply.body)));
  if (expected.starts_with(kSha256Prefix) && expected != found) {
    return Status(StatusCode::kDataLoss,
                  "'" + uri_.ToString() + "': the manifest has the digest " + found +
                      ", expected " + ShownName(expected),
                  "try again; if it stays so, the registry or a proxy before it is damaged");
  }
  return ParseOciManifest(reply.body);
}

Result<std::vector<RemoteFile>> OciStore::List() {
  TRIMS_ASSIGN_OR_RETURN(OciManifest manifest, Manifest(uri_.revision));
  if (!manifest.only_manifest.empty()) {
    TRIMS_ASSIGN_OR_RETURN(manifest, Manifest(std::string(manifest.only_manifest)));
    if (!manifest.only_manifest.empty()) {
      return Status(StatusCode::kInvalidArgument,
                    "'" + uri_.ToString() + "' is an index of an index",
                    "name the artifact itself by its digest");
    }
  }
  std::vector<RemoteFile> files;
  for (OciFile& file : manifest.files) {
    files.push_back({.name = std::move(file.name),
                     .length = file.length,
                     .sha256 = file.digest.substr(kSha256Prefix.size()),
                     .url = base_ + "/blobs/" + file.digest});
  }
  TRIMS_RETURN_IF_ERROR(CheckListing(&files, uri_.ToString()));
  return files;
}

Result<RemoteRequest> OciStore::RequestFor(const RemoteFile& file) {
  bool stale = false;
  {
    const MutexLock lock(mutex_);
    stale = std::exchange(stale_, false);
    if (stale) authorization_ = Secret();
  }
  // Which asks for a new token, if one is wanted.
  if (stale) TRIMS_RETURN_IF_ERROR(Ask(base_ + "/manifests/" + uri_.revision).status());
  const MutexLock lock(mutex_);
  RemoteRequest request{.url = file.url};
  if (!authorization_.empty())
    request.headers.push_back("Authorization: " + authorization_.Reveal());
  return request;
}

}  // namespace trims
