// HttpRequest and HttpResponse: what the routes are asked and what they answer, without any library's types.
//
// Thread-safety: values.
#ifndef TRIMS_ADMIN_MESSAGE_H_
#define TRIMS_ADMIN_MESSAGE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trims::admin {

struct HttpRequest {
  std::string method;  // "GET", …; HEAD is asked as GET
  std::string path;    // decoded and plain: see DecodeTarget
  std::string body;
  std::optional<std::string> host;
  std::optional<std::string> origin;
  std::optional<std::string> authorization;
  std::optional<std::string> content_type;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside those that every answer has
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_MESSAGE_H_
