// AwsCredentialSource: the keys with which requests to S3 are signed, from where AWS's own tools take
// them, asked for anew before they expire.
//
//   AwsCredentialSource source(getenv, exchange);
//   TRIMS_ASSIGN_OR_RETURN(const AwsCredentials credentials, source.Get());
//   if (credentials.anonymous()) …
//
// In this order: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the profile in
// ~/.aws (source/aws_profile.h); the container's endpoint; the instance's metadata
// (source/aws_metadata.h). Nothing of them: requests are not signed. A way that is there and fails is
// an error: the next one might be somebody else's.
// Source: AWS SDKs and Tools reference guide. Thread-safety: safe; who asks while another thread is
// asking the network waits for its answer.
#ifndef TRIMS_SOURCE_AWS_CREDENTIALS_H_
#define TRIMS_SOURCE_AWS_CREDENTIALS_H_

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "trims/status.h"

#include "base/mutex.h"
#include "source/aws_keys.h"
#include "source/hub_cache.h"
#include "source/small_exchange.h"

namespace trims {

using WallClock = std::function<WallTime()>;

// Where a bucket is, and how it is named there.
struct S3Location {
  std::string region = "us-east-1";
  std::string
      endpoint;  // empty: AWS's own; else "https://host[:port]", and buckets are in the path
};

class AwsCredentialSource {
 public:
  AwsCredentialSource(Environment environment, SmallExchange exchange,
                      WallClock now = std::chrono::system_clock::now);

  // As long as they are good for five more minutes, those of before. INVALID_ARGUMENT: a setting that
  // can't be right; UNIMPLEMENTED: the profile takes another program; UNAVAILABLE, PERMISSION_DENIED:
  // of an endpoint. Blocks, for seconds if an endpoint doesn't answer.
  Result<AwsCredentials> Get();
  // The service refused them: the next Get() asks anew.
  void Forget();

  // From AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION and the profile.
  Result<S3Location> Location() const;

 private:
  Result<AwsCredentials> Find() const;

  const Environment environment_;
  const SmallExchange exchange_;
  const WallClock now_;
  Mutex mutex_;
  std::optional<AwsCredentials> last_ TRIMS_GUARDED_BY(mutex_);
  WallTime good_until_ TRIMS_GUARDED_BY(mutex_);
};

}  // namespace trims

#endif  // TRIMS_SOURCE_AWS_CREDENTIALS_H_
