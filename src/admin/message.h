// HttpRequest and HttpResponse: what the routes are asked and what they answer, without any library's types.
//
// Thread-safety: values.
#ifndef TRIMS_ADMIN_MESSAGE_H_
#define TRIMS_ADMIN_MESSAGE_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trims::admin {

class DaemonLink;

struct HttpRequest {
  std::string method;  // "GET", …; HEAD is asked as GET
  std::string path;    // decoded and plain: see DecodeTarget
  std::string body;
  std::optional<std::string> host;
  std::optional<std::string> origin;
  std::optional<std::string> authorization;
  std::optional<std::string> content_type;
  std::optional<std::string> last_event_id;
  std::vector<std::pair<std::string, std::string>> query;  // as it was sent: nothing is unescaped
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside those that every answer has
  // What comes after the body, piece by piece, for as long as somebody reads: nothing ends it. Asked on a thread of its own.
  std::function<std::optional<std::string>(DaemonLink&)> more;
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_MESSAGE_H_
