// AwsProfile: what ~/.aws/credentials and ~/.aws/config say of one profile.
//
//   TRIMS_ASSIGN_OR_RETURN(const AwsProfile profile, ReadAwsProfile(getenv));
//   profile.region;  // "eu-west-1", or empty
//
// Source: AWS SDKs and Tools reference guide. Read anew at every call, so that a file that was changed
// counts. Thread-safety: a function.
#ifndef TRIMS_SOURCE_AWS_PROFILE_H_
#define TRIMS_SOURCE_AWS_PROFILE_H_

#include <string>

#include "trims/status.h"

#include "source/hub_cache.h"
#include "source/secret.h"

namespace trims {

struct AwsProfile {
  std::string access_key_id;  // empty: the profile has no keys
  Secret secret_access_key;
  Secret session_token;
  std::string region;
  std::string endpoint_url;
  std::string other_way;  // a way to credentials that can't be gone here, such as "sso_session"
};

// Of AWS_PROFILE, else AWS_DEFAULT_PROFILE, else "default", in AWS_SHARED_CREDENTIALS_FILE and
// AWS_CONFIG_FILE, else in ~/.aws. No files: an empty profile. NOT_FOUND: it was named and is in neither;
// INVALID_ARGUMENT: a file that isn't one of settings, or a key without its other half.
Result<AwsProfile> ReadAwsProfile(const Environment& environment);

}  // namespace trims

#endif  // TRIMS_SOURCE_AWS_PROFILE_H_
