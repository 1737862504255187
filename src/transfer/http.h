// What is asked of an HTTP server, and what it answers: plain values.
//
//   HttpRequest request{.url = "https://host/v2/"};
//   request.headers = {"Accept: application/json"};
//
// Headers and keys may be secrets: nothing here is for a log. Thread-safety: values.
#ifndef TRIMS_TRANSFER_HTTP_H_
#define TRIMS_TRANSFER_HTTP_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace trims {

// AWS's signature, version 4 (transfer/aws_signature.h).
struct HttpSigning {
  std::string scope;  // "aws:amz:<region>:<service>"
  std::string access_key;
  std::string secret_key;
  std::string session_token = {};  // empty: none
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  // "Name: value". Of these only Authorization stays with this host where a redirect is followed: with any
  // other secret, follow_redirects is false. A signature is also of those that begin with "x-amz-".
  std::vector<std::string> headers = {};
  std::optional<HttpSigning> signing = {};
  std::string body = {};  // of PUT and POST
  // Of one that HttpSender sends, in hexadecimal digits, to be signed.
  std::string body_sha256 = {};
  bool follow_redirects = true;  // false: a redirect is the answer; so it is with a signing
};

// How patient one is with a server, and whom it has to be signed by.
struct HttpPatience {
  int attempts = 6;  // all together
  Duration first_pause = std::chrono::milliseconds(200);
  Duration longest_pause = std::chrono::seconds(10);
  Duration connect = std::chrono::seconds(10);
  // A range or a body that moves on more slowly, on average over `stall`, counts as stalled, and is tried
  // again.
  Duration stall = std::chrono::seconds(30);
  uint64_t slowest = 16 << 10;  // bytes per second of all that may be in flight
  // Certificates of authorities, in PEM; empty: CURL_CA_BUNDLE's or SSL_CERT_FILE's, or else libcurl's own.
  std::string ca_file = {};
};

struct HttpResponse {
  // Empty: there is none. `name` in lower case.
  std::string_view Header(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }

  int status = 0;                                                // after redirects
  std::map<std::string, std::string, std::less<>> headers = {};  // names in lower case
  std::string body = {};
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_HTTP_H_
