#include "source/aws_metadata.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/macros.h"
#include "base/plain_path.h"
#include "base/shown_name.h"
#include "format/json_node.h"
#include "source/endpoint.h"
#include "source/utc_time.h"
#include "source/variables.h"

namespace trims {
namespace {

constexpr size_t kMaxKeyText = 16 * 1024;
constexpr Duration kContainerTimeout = std::chrono::seconds(5);
constexpr Duration kInstanceTimeout = std::chrono::seconds(1);  // there, or nowhere
constexpr char kContainerHost[] = "http://169.254.170.2";
constexpr char kInstanceEndpoint[] = "http://169.254.169.254";
constexpr char kRolePath[] = "/latest/meta-data/iam/security-credentials/";

// Such a service answers itself. Its token is in a header that would go along to wherever it redirects.
SmallRequest MetadataRequest(std::string url, Duration timeout) {
  return {.url = std::move(url),
          .timeout = timeout,
          .max_bytes = size_t{64} << 10,
          .through_proxy = false,
          .follow_redirects = false};
}

Status RefusedByService(std::string_view service, int status) {
  const bool denied = status == 401 || status == 403;
  return Status(
      denied ? StatusCode::kPermissionDenied : StatusCode::kUnavailable,
      std::string(service) + " answers " + std::to_string(status) + ", expected credentials",
      denied ? "look at the role and the token that this machine has" : "try again");
}

Result<AwsCredentials> CredentialsFrom(const SmallExchange& exchange, const SmallRequest& request,
                                       std::string_view service) {
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, exchange(request));
  if (reply.status != 200) return RefusedByService(service, reply.status);
  return ParseAwsCredentials(reply.body, service);
}

// The token is sent in the open to whoever is there: by TLS, to this machine, or to AWS's own addresses.
bool MayServeContainers(const Endpoint& endpoint) {
  const std::string_view host = endpoint.host();
  return endpoint.tls || IsLoopback(host) || host == "169.254.170.2" || host == "169.254.170.23" ||
         host == "fd00:ec2::23";
}

Result<std::string> ContainerUrl(const Environment& environment) {
  const std::string relative = VariableOf(environment, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"});
  if (!relative.empty()) {
    if (relative.starts_with('/')) return kContainerHost + relative;
    return Status(StatusCode::kInvalidArgument,
                  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: expected a path from '/' on",
                  "correct it where the daemon is started");
  }
  constexpr char kFull[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
  const std::string full = VariableOf(environment, {kFull});
  if (full.empty()) return std::string();
  const size_t scheme = full.find("://");
  const size_t path = scheme == std::string::npos ? scheme : full.find_first_of("/?", scheme + 3);
  TRIMS_ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(full.substr(0, path), kFull));
  if (MayServeContainers(endpoint)) return full;
  return Status(StatusCode::kInvalidArgument,
                std::string(kFull) + " names '" + endpoint.ToString() +
                    "': expected https://, this machine, or an address of AWS's container services",
                "correct it where the daemon is started");
}

// Empty: none is wanted.
Result<Secret> ContainerToken(const Environment& environment) {
  const std::string path = VariableOf(environment, {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"});
  std::string token = VariableOf(environment, {"AWS_CONTAINER_AUTHORIZATION_TOKEN"});
  if (!path.empty()) {
    TRIMS_ASSIGN_OR_RETURN(token, ReadSettings(path, kMaxKeyText));
    while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
    if (token.empty()) {
      return Status(StatusCode::kNotFound,
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: there is no token in '" + path + "'",
                    "correct it where the daemon is started");
    }
  }
  if (std::ranges::any_of(token, [](char c) { return c == '\n' || c == '\r'; })) {
    return Status(StatusCode::kInvalidArgument,
                  "the container's authorization token has more than one line",
                  "correct AWS_CONTAINER_AUTHORIZATION_TOKEN or its file");
  }
  return Secret(std::move(token));
}

std::optional<AwsCredentials> None() { return std::nullopt; }

// Nothing: this is no such machine.
Result<std::optional<Secret>> InstanceToken(const std::string& endpoint,
                                            const SmallExchange& exchange) {
  SmallRequest request = MetadataRequest(endpoint + "/latest/api/token", kInstanceTimeout);
  request.method = "PUT";
  request.headers = {"X-aws-ec2-metadata-token-ttl-seconds: 21600"};
  const Result<SmallReply> reply = exchange(request);
  if (!reply.ok() || reply->status != 200) return std::optional<Secret>();
  const bool good = !reply->body.empty() && reply->body.size() <= kMaxKeyText &&
                    reply->body.find_first_of("\r\n") == std::string::npos;
  if (!good) return std::optional<Secret>();
  return std::optional<Secret>(Secret(reply->body));
}

Result<std::string> TextMember(const nlohmann::json& document, const char* name,
                               std::string_view service) {
  const auto found = document.find(name);
  if (found != document.end() && found->is_string() &&
      found->get_ref<const std::string&>().size() <= kMaxKeyText) {
    return found->get<std::string>();
  }
  return Status(
      StatusCode::kInvalidArgument,
      std::string(service) + " answers without a text '" + name + "', expected credentials",
      "look at what runs there");
}

bool IsOneLine(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<AwsCredentials> ParseAwsCredentials(std::string_view json, std::string_view service) {
  const Result<nlohmann::json> document =
      ParseJson(json, {.max_bytes = size_t{64} << 10, .max_depth = 4});
  if (!document.ok() || !document->is_object()) {
    return Status(StatusCode::kInvalidArgument,
                  std::string(service) + " answers with something else than credentials",
                  "look at what runs there");
  }
  AwsCredentials credentials;
  TRIMS_ASSIGN_OR_RETURN(credentials.access_key_id, TextMember(*document, "AccessKeyId", service));
  TRIMS_ASSIGN_OR_RETURN(std::string secret, TextMember(*document, "SecretAccessKey", service));
  std::string token;
  if (document->contains("Token")) {
    TRIMS_ASSIGN_OR_RETURN(token, TextMember(*document, "Token", service));
  }
  if (document->contains("Expiration")) {
    TRIMS_ASSIGN_OR_RETURN(const std::string expires, TextMember(*document, "Expiration", service));
    TRIMS_ASSIGN_OR_RETURN(credentials.expires, ParseUtcTime(expires));
  }
  const bool good = !credentials.access_key_id.empty() && !secret.empty() &&
                    IsOneLine(credentials.access_key_id) && IsOneLine(secret) && IsOneLine(token);
  credentials.secret_access_key = Secret(std::move(secret));
  credentials.session_token = Secret(std::move(token));
  if (good) return credentials;
  return Status(StatusCode::kInvalidArgument,
                std::string(service) + " answers with keys that can't be any",
                "look at what runs there");
}

Result<std::optional<AwsCredentials>> ContainerCredentials(const Environment& environment,
                                                           const SmallExchange& exchange) {
  TRIMS_ASSIGN_OR_RETURN(std::string url, ContainerUrl(environment));
  if (url.empty()) return None();
  SmallRequest request = MetadataRequest(std::move(url), kContainerTimeout);
  TRIMS_ASSIGN_OR_RETURN(const Secret token, ContainerToken(environment));
  if (!token.empty()) request.headers.push_back("Authorization: " + token.Reveal());
  TRIMS_ASSIGN_OR_RETURN(AwsCredentials credentials,
                         CredentialsFrom(exchange, request, "the container's credential service"));
  return std::optional(std::move(credentials));
}

Result<std::optional<AwsCredentials>> InstanceCredentials(const Environment& environment,
                                                          const SmallExchange& exchange) {
  if (IsSwitchedOn(environment, "AWS_EC2_METADATA_DISABLED")) return None();
  constexpr char kSetting[] = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
  std::string url = VariableOf(environment, {kSetting});
  if (url.empty()) url = kInstanceEndpoint;
  TRIMS_ASSIGN_OR_RETURN(const Endpoint parsed, ParseEndpoint(url, kSetting));
  const std::string endpoint = parsed.ToString();
  TRIMS_ASSIGN_OR_RETURN(const std::optional<Secret> token, InstanceToken(endpoint, exchange));
  if (!token) return None();
  SmallRequest request = MetadataRequest(endpoint + kRolePath, kInstanceTimeout);
  request.headers = {"X-aws-ec2-metadata-token: " + token->Reveal()};
  constexpr std::string_view kService = "the instance's metadata service";
  TRIMS_ASSIGN_OR_RETURN(const SmallReply role, exchange(request));
  if (role.status == 404) return None();
  if (role.status != 200) return RefusedByService(kService, role.status);
  const std::string name = role.body.substr(0, role.body.find_first_of("\r\n"));
  if (!IsPlainPath(name) || !IsOneLine(name)) {
    return Status(StatusCode::kInvalidArgument,
                  std::string(kService) + " names the role '" + ShownName(name) + "'",
                  "look at what runs there");
  }
  request.url += name;
  TRIMS_ASSIGN_OR_RETURN(AwsCredentials credentials, CredentialsFrom(exchange, request, kService));
  return std::optional(std::move(credentials));
}

}  // namespace trims
