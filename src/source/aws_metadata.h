// Credentials from the services that AWS runs beside a container or a virtual machine.
//
//   TRIMS_ASSIGN_OR_RETURN(std::optional<AwsCredentials> found, InstanceCredentials(getenv, exchange));
//
// Source: AWS SDKs and Tools reference guide, "Container credential provider" and "IMDS credential
// provider". Thread-safety: functions; each blocks for its exchanges.
#ifndef TRIMS_SOURCE_AWS_METADATA_H_
#define TRIMS_SOURCE_AWS_METADATA_H_

#include <optional>
#include <string_view>

#include "trims/status.h"

#include "source/aws_credentials.h"
#include "source/hub_cache.h"
#include "source/small_exchange.h"

namespace trims {

// From AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI, with
// AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN. Nothing: neither is
// set. INVALID_ARGUMENT: a plain http:// URL of another machine; other errors are the service's.
Result<std::optional<AwsCredentials>> ContainerCredentials(const Environment& environment,
                                                           const SmallExchange& exchange);

// Of the role of the virtual machine, by metadata's second version. Nothing: there is no such service
// or role, or AWS_EC2_METADATA_DISABLED. AWS_EC2_METADATA_SERVICE_ENDPOINT is another place of it.
Result<std::optional<AwsCredentials>> InstanceCredentials(const Environment& environment,
                                                          const SmallExchange& exchange);

// What both answer with. `service` is for errors. INVALID_ARGUMENT: it is none.
Result<AwsCredentials> ParseAwsCredentials(std::string_view json, std::string_view service);

}  // namespace trims

#endif  // TRIMS_SOURCE_AWS_METADATA_H_
