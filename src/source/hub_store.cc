#include "source/hub_store.h"

#include <algorithm>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/near_names.h"
#include "base/shown_name.h"
#include "source/endpoint.h"
#include "source/hub_answers.h"
#include "source/percent.h"
#include "source/variables.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

constexpr size_t kMaxTokenBytes = 4096;
constexpr size_t kMaxPagesOfATree = 1000;
constexpr size_t kMaxAnswerBytes = size_t{32} << 20;

std::string TokenPath(const Environment& environment) {
  std::string path = VariableOf(environment, {"HF_TOKEN_PATH"});
  if (!path.empty()) return path;
  path = VariableOf(environment, {"HF_HOME"});
  if (!path.empty()) return path + "/token";
  path = VariableOf(environment, {"XDG_CACHE_HOME"});
  return path.empty() ? InHome(environment, ".cache/huggingface/token")
                      : path + "/huggingface/token";
}

Result<Secret> ReadToken(const Environment& environment) {
  std::string token = VariableOf(environment, {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"});
  if (token.empty()) {
    TRIMS_ASSIGN_OR_RETURN(token, ReadSettings(TokenPath(environment), kMaxTokenBytes));
  }
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!token.empty() && blank(token.back())) token.pop_back();
  token.erase(token.begin(), std::ranges::find_if_not(token, blank));
  const bool good = token.size() <= kMaxTokenBytes &&
                    std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
  if (good) return Secret(std::move(token));
  return Status(StatusCode::kInvalidArgument,
                "the hub's token has blanks or bytes beyond ASCII in it",
                "correct HF_TOKEN or the token's file");
}

std::string NextStepAtTheHub(int status, bool gated, bool has_token, const std::string& page) {
  const bool denied = status == 401 || status == 403;
  if (denied && gated) {
    return has_token
               ? "accept the model's terms at " + page + " with the account that the token is of"
               : "accept the model's terms at " + page +
                     ", and set HF_TOKEN where the daemon is started";
  }
  if (denied) {
    return has_token ? "look whether the model's name is right and the token may read it"
                     : "look for the model's name; a private one takes HF_TOKEN where the daemon "
                       "is started";
  }
  return status == 404 ? "look for the name and the revision at " + page : "try again";
}

// Pages of a list are of the hub itself: the token goes along.
Status CheckNext(const std::string& next, const std::string& endpoint) {
  if (next.starts_with(endpoint + "/")) return Status();
  return Status(StatusCode::kInvalidArgument,
                "the hub's list goes on at '" + ShownName(next) + "', expected that beneath '" +
                    endpoint + "'",
                "look at HF_ENDPOINT");
}

bool LiesIn(const std::string& name, const std::string& folder) {
  return name.size() > folder.size() && name.starts_with(folder) && name[folder.size()] == '/';
}

Status NoSuchHubFile(const SourceUri& uri, const std::vector<RemoteFile>& files) {
  std::vector<std::string> names;
  for (const RemoteFile& file : files) names.push_back(file.name);
  const std::string near = NearestName(uri.path, names);
  SourceUri meant = uri;
  meant.path = near;
  return Status(
      StatusCode::kNotFound,
      "'" + uri.repository + "' has no file or folder '" + ShownName(uri.path) + "' at '" +
          uri.revision + "'",
      near.empty() ? "it has " + ShownNames(names) : "did you mean " + meant.ToString() + "?");
}

}  // namespace

Result<HubSettings> ReadHubSettings(const Environment& environment) {
  if (IsSwitchedOn(environment, "HF_HUB_OFFLINE")) {
    return Status(
        StatusCode::kUnavailable, "HF_HUB_OFFLINE is set: the hub is not asked",
        "unset it where the daemon is started, or add from the hub's cache: hf-cache:ORG/NAME");
  }
  HubSettings settings;
  const std::string endpoint = VariableOf(environment, {"HF_ENDPOINT"});
  TRIMS_ASSIGN_OR_RETURN(
      const Endpoint parsed,
      ParseEndpoint(endpoint.empty() ? settings.endpoint : endpoint, "HF_ENDPOINT"));
  settings.endpoint = parsed.ToString();
  TRIMS_ASSIGN_OR_RETURN(settings.token, ReadToken(environment));
  if (settings.token.empty() || parsed.tls || IsLoopback(parsed.host())) return settings;
  return Status(StatusCode::kInvalidArgument,
                "HF_ENDPOINT is '" + settings.endpoint + "': the token would go there unencrypted",
                "name it by https://, or unset HF_TOKEN");
}

HubStore::HubStore(SourceUri uri, HubSettings settings, SmallExchange exchange)
    : uri_(std::move(uri)), settings_(std::move(settings)), exchange_(std::move(exchange)) {}

std::vector<std::string> HubStore::Headers() const {
  if (settings_.token.empty()) return {};
  return {"Authorization: Bearer " + settings_.token.Reveal()};
}

Result<SmallReply> HubStore::Ask(const std::string& url) const {
  TRIMS_ASSIGN_OR_RETURN(
      SmallReply reply,
      exchange_({.url = url, .headers = Headers(), .max_bytes = kMaxAnswerBytes}));
  if (reply.status == 200) return reply;
  return WhyNot(reply);
}

Status HubStore::WhyNot(const SmallReply& reply) const {
  const std::string_view code = reply.Header("x-error-code");
  const std::string_view message = reply.Header("x-error-message");
  const std::string page = settings_.endpoint + "/" + uri_.repository;
  return Status(
      HttpErrorCode(reply.status, StatusCode::kFailedPrecondition),
      "'" + uri_.ToString() + "': the hub answers " + std::to_string(reply.status) +
          (code.empty() ? "" : " " + ShownName(code)) +
          (message.empty() ? "" : " (" + ShownName(message) + ")"),
      NextStepAtTheHub(reply.status, code == "GatedRepo", !settings_.token.empty(), page));
}

Result<std::string> HubStore::FindCommit() const {
  if (IsHubCommit(uri_.revision)) return uri_.revision;
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply,
                         Ask(settings_.endpoint + "/api/models/" + uri_.repository + "/revision/" +
                             PercentEncodeStrictly(uri_.revision)));
  return ParseHubCommit(reply.body);
}

Result<std::vector<RemoteFile>> HubStore::ListCommit() const {
  const std::string start =
      settings_.endpoint + "/" + uri_.repository + "/resolve/" + commit_ + "/";
  std::string url = settings_.endpoint + "/api/models/" + uri_.repository + "/tree/" + commit_ +
                    "?recursive=true";
  std::vector<RemoteFile> files;
  for (size_t page = 0; page < kMaxPagesOfATree && files.size() <= kMaxModelFiles; ++page) {
    TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, Ask(url));
    TRIMS_ASSIGN_OR_RETURN(std::vector<HubFile> found, ParseHubTree(reply.body));
    for (HubFile& file : found) {
      std::string address = start + PercentEncodeStrictly(file.path, "/");
      files.push_back({.name = std::move(file.path),
                       .length = file.length,
                       .sha256 = std::move(file.sha256),
                       .url = std::move(address)});
    }
    url = NextPage(reply.Header("link"));
    if (url.empty()) return files;
    TRIMS_RETURN_IF_ERROR(CheckNext(url, settings_.endpoint));
  }
  return Status(
      StatusCode::kInvalidArgument,
      "'" + uri_.ToString() + "' holds more than " + std::to_string(kMaxModelFiles) + " files",
      "name one of its files or folders");
}

Result<std::vector<RemoteFile>> HubStore::Wanted(std::vector<RemoteFile> files) const {
  if (uri_.path.empty()) return files;
  std::vector<RemoteFile> wanted;
  for (const RemoteFile& file : files) {
    if (file.name != uri_.path && !LiesIn(file.name, uri_.path)) continue;
    wanted.push_back(file);
    const size_t from = file.name == uri_.path ? file.name.rfind('/') + 1 : uri_.path.size() + 1;
    wanted.back().name = file.name.substr(from);
  }
  if (wanted.empty()) return NoSuchHubFile(uri_, files);
  return wanted;
}

Result<std::vector<RemoteFile>> HubStore::List() {
  TRIMS_ASSIGN_OR_RETURN(commit_, FindCommit());
  TRIMS_ASSIGN_OR_RETURN(std::vector<RemoteFile> all, ListCommit());
  TRIMS_ASSIGN_OR_RETURN(std::vector<RemoteFile> files, Wanted(std::move(all)));
  TRIMS_RETURN_IF_ERROR(CheckListing(&files, uri_.ToString()));
  return files;
}

Result<RemoteRequest> HubStore::RequestFor(const RemoteFile& file) {
  return RemoteRequest{.url = file.url, .headers = Headers(), .signing = {}};
}

}  // namespace trims
