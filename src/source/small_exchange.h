// SmallExchange: one HTTP request whose answer is a short text: a list, a manifest, a token.
//
//   const SmallExchange exchange = …;  // source/http_exchange.h; a script in tests
//   TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, exchange({.url = "https://h/v2/"}));
//   reply.status;                    // 401
//   reply.Header("www-authenticate");  // "Bearer realm=…"
//
// Thread-safety: an exchange may be called from any thread; the rest are values.
#ifndef TRIMS_SOURCE_SMALL_EXCHANGE_H_
#define TRIMS_SOURCE_SMALL_EXCHANGE_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/clock.h"
#include "source/aws_keys.h"

namespace trims {

struct SmallRequest {
  std::string method = "GET";
  std::string url = {};
  // "Name: value". Of these only Authorization stays with this host where a redirect is followed: with any
  // other secret, follow_redirects is false.
  std::vector<std::string> headers = {};
  std::optional<AwsSigning> signing = {};       // its query then is sorted and escaped strictly
  std::string body = {};                        // of POST
  Duration timeout = std::chrono::seconds(30);  // of each attempt
  Duration overall = std::chrono::minutes(2);   // of all attempts, with the pauses between them
  size_t max_bytes = size_t{8} << 20;
  bool through_proxy = true;     // of the environment, if it names one
  bool follow_redirects = true;  // false: a redirect is the answer
};

struct SmallReply {
  // Empty: there is none. `name` in lower case.
  std::string_view Header(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }

  int status = 0;  // of HTTP, after redirects; 404 and 500, too
  std::map<std::string, std::string, std::less<>> headers = {};  // names in lower case
  std::string body = {};
};

// UNAVAILABLE: no connection, or it broke; DEADLINE_EXCEEDED; TOO_LARGE: the body is longer.
using SmallExchange = std::function<Result<SmallReply>(const SmallRequest&)>;

}  // namespace trims

#endif  // TRIMS_SOURCE_SMALL_EXCHANGE_H_
