// AwsCredentials: the keys that sign requests to S3, and what a signature is made for.
//
//   const AwsSigning signing{.credentials = credentials, .region = "eu-west-1"};
//
// Where they come from is source/aws_credentials.h. Thread-safety: values.
#ifndef TRIMS_SOURCE_AWS_KEYS_H_
#define TRIMS_SOURCE_AWS_KEYS_H_

#include <chrono>
#include <optional>
#include <string>

#include "source/secret.h"

namespace trims {

using WallTime = std::chrono::system_clock::time_point;

struct AwsCredentials {
  bool anonymous() const { return access_key_id.empty(); }

  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;             // empty: they are not of a session
  std::optional<WallTime> expires;  // those of a session that say when
};

struct AwsSigning {
  AwsCredentials credentials;  // not anonymous
  std::string region;
  std::string service = "s3";
};

}  // namespace trims

#endif  // TRIMS_SOURCE_AWS_KEYS_H_
