#include "source/aws_credentials.h"

#include <utility>

#include "base/macros.h"
#include "source/aws_metadata.h"
#include "source/aws_profile.h"
#include "source/endpoint.h"
#include "source/variables.h"

namespace trims {
namespace {

// What is left of a session has to be enough for the requests that are signed with it.
constexpr auto kLeastValidity = std::chrono::minutes(5);
// Files may change, and a machine may get a role, while the daemon runs.
constexpr auto kLongestKept = std::chrono::minutes(15);
constexpr auto kAnonymousKept = std::chrono::minutes(1);

Result<std::optional<AwsCredentials>> FromVariables(const Environment& environment) {
  AwsCredentials credentials;
  credentials.access_key_id = VariableOf(environment, {"AWS_ACCESS_KEY_ID"});
  credentials.secret_access_key = Secret(VariableOf(environment, {"AWS_SECRET_ACCESS_KEY"}));
  credentials.session_token = Secret(VariableOf(environment, {"AWS_SESSION_TOKEN"}));
  if (credentials.access_key_id.empty() != credentials.secret_access_key.empty()) {
    return Status(
        StatusCode::kInvalidArgument,
        "one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set, expected both or none",
        "set both where the daemon is started");
  }
  if (credentials.anonymous()) return std::optional<AwsCredentials>();
  return std::optional(std::move(credentials));
}

Result<std::optional<AwsCredentials>> FromProfile(const Environment& environment) {
  TRIMS_ASSIGN_OR_RETURN(AwsProfile profile, ReadAwsProfile(environment));
  if (!profile.access_key_id.empty()) {
    return std::optional(AwsCredentials{std::move(profile.access_key_id),
                                        std::move(profile.secret_access_key),
                                        std::move(profile.session_token), std::nullopt});
  }
  if (profile.other_way.empty()) return std::optional<AwsCredentials>();
  return Status(
      StatusCode::kUnimplemented,
      "the AWS profile gets its keys by '" + profile.other_way + "', which this build can't",
      "start the daemon with the variables that 'aws configure export-credentials --format env' "
      "prints");
}

WallTime GoodUntil(const AwsCredentials& credentials, WallTime now) {
  if (credentials.anonymous()) return now + kAnonymousKept;
  const WallTime kept = now + kLongestKept;
  return credentials.expires ? std::min(kept, *credentials.expires - kLeastValidity) : kept;
}

}  // namespace

AwsCredentialSource::AwsCredentialSource(Environment environment, SmallExchange exchange,
                                         WallClock now)
    : environment_(std::move(environment)), exchange_(std::move(exchange)), now_(std::move(now)) {}

Result<AwsCredentials> AwsCredentialSource::Get() {
  const MutexLock lock(mutex_);
  const WallTime now = now_();
  if (last_ && now < good_until_) return *last_;
  Result<AwsCredentials> found = Find();
  if (!found.ok()) {
    // Those of before may still be good for a while.
    const bool still_good = last_ && last_->expires && now < *last_->expires;
    return still_good ? Result<AwsCredentials>(*last_) : found;
  }
  good_until_ = GoodUntil(*found, now);
  last_ = *found;
  return found;
}

void AwsCredentialSource::Forget() {
  const MutexLock lock(mutex_);
  last_.reset();
}

Result<AwsCredentials> AwsCredentialSource::Find() const {
  TRIMS_ASSIGN_OR_RETURN(std::optional<AwsCredentials> found, FromVariables(environment_));
  if (!found) {
    TRIMS_ASSIGN_OR_RETURN(found, FromProfile(environment_));
  }
  if (!found) {
    TRIMS_ASSIGN_OR_RETURN(found, ContainerCredentials(environment_, exchange_));
  }
  if (!found) {
    TRIMS_ASSIGN_OR_RETURN(found, InstanceCredentials(environment_, exchange_));
  }
  return found ? *std::move(found) : AwsCredentials();
}

Result<S3Location> AwsCredentialSource::Location() const {
  TRIMS_ASSIGN_OR_RETURN(const AwsProfile profile, ReadAwsProfile(environment_));
  S3Location location;
  std::string region = VariableOf(environment_, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (region.empty()) region = profile.region;
  if (!region.empty()) location.region = region;
  if (location.region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") !=
      std::string::npos) {
    return Status(StatusCode::kInvalidArgument,
                  "the AWS region is not of lower-case letters, digits and '-'",
                  "set AWS_REGION where the daemon is started, as eu-west-1");
  }
  std::string setting = "AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL";
  std::string endpoint = VariableOf(environment_, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  if (endpoint.empty()) {
    setting = "endpoint_url of the AWS profile";
    endpoint = profile.endpoint_url;
  }
  if (endpoint.empty() || IsSwitchedOn(environment_, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
    return location;
  TRIMS_ASSIGN_OR_RETURN(const Endpoint parsed, ParseEndpoint(endpoint, setting));
  location.endpoint = parsed.ToString();
  return location;
}

}  // namespace trims
