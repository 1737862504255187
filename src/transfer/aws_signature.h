// AwsSignatureHeaders: AWS's signature, version 4, of a request, as headers.
//
//   for (const std::string& header : AwsSignatureHeaders(request, now)) …
//
// Not libcurl's own (CURLOPT_AWS_SIGV4): that of 7.88 escapes a path again that is escaped already, so
// that no key with a space or a "+" can be read. Source: AWS IAM user guide, "Create a signed AWS API
// request". Thread-safety: a pure function.
#ifndef TRIMS_TRANSFER_AWS_SIGNATURE_H_
#define TRIMS_TRANSFER_AWS_SIGNATURE_H_

#include <chrono>
#include <string>
#include <vector>

#include "transfer/http.h"

namespace trims {

// Good for 15 minutes around `now`. `request` has a signing, its path is escaped as S3 wants it, its query
// also sorted. The SHA-256 of the body and the headers that begin with "x-amz-" are part of what is signed;
// what comes back are the others that it takes.
std::vector<std::string> AwsSignatureHeaders(const HttpRequest& request,
                                             std::chrono::system_clock::time_point now);

}  // namespace trims

#endif  // TRIMS_TRANSFER_AWS_SIGNATURE_H_
