#include "admin/gate.h"

#include <algorithm>
#include <array>

#include "admin/answers.h"
#include "admin/pages.h"
#include "base/ascii.h"
#include "base/shown_name.h"

namespace trims::admin {
namespace {

constexpr std::array<std::string_view, 3> kOwnNames = {"localhost", "127.0.0.1", "[::1]"};

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "name:80" → "name"; "[::1]:80" → "[::1]"; what has no port stays as it is.
std::string_view WithoutPort(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || !IsPort(host.substr(colon + 1))) return host;
  const std::string_view name = host.substr(0, colon);
  const bool bare_v6 = name.find(':') != std::string_view::npos && !name.ends_with(']');
  return bare_v6 ? host : name;
}

// Asking for Triton's index is a POST and changes nothing.
bool Changes(const HttpRequest& request) {
  return request.method != "GET" && request.path != "/v2/repository/index";
}

bool IsJson(const std::string& content_type) {
  const std::string type = InLowerCase(content_type.substr(0, content_type.find(';')));
  return type.substr(0, type.find_last_not_of(' ') + 1) == "application/json";
}

HttpResponse WrongHost(const std::string& host) {
  return ErrorAnswer(421, {.code = "PERMISSION_DENIED",
                           .message = "this server is not known as '" + ShownName(host) + "'",
                           .hint = "ask for localhost, or start trims-http with --host NAME"});
}

HttpResponse ForeignOrigin(const std::string& origin) {
  return ErrorAnswer(403, {.code = "PERMISSION_DENIED",
                           .message = "a page of '" + ShownName(origin) + "' may not ask here",
                           .hint = "open the dashboard that this server has itself: /"});
}

HttpResponse NoToken(bool wrong) {
  HttpResponse answer = ErrorAnswer(
      401, {.code = "UNAUTHENTICATED",
            .message = wrong ? "the token is not this server's" : "a token is needed",
            .hint = "the header 'Authorization: Bearer TOKEN', with the token of --token-file"});
  answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"trims\"");
  return answer;
}

}  // namespace

bool Gate::KnowsHost(std::string_view host) const {
  const std::string asked = InLowerCase(host);
  const std::string_view name = WithoutPort(asked);
  if (std::ranges::find(kOwnNames, name) != kOwnNames.end()) return true;
  return std::ranges::any_of(options_.hosts, [&](const std::string& known) {
    return InLowerCase(known) == asked || InLowerCase(known) == name;
  });
}

std::optional<HttpResponse> Gate::Refuse(const HttpRequest& request) const {
  if (!request.host || !KnowsHost(*request.host)) return WrongHost(request.host.value_or(""));
  if (request.origin && InLowerCase(*request.origin) != "http://" + InLowerCase(*request.host) &&
      InLowerCase(*request.origin) != "https://" + InLowerCase(*request.host)) {
    return ForeignOrigin(*request.origin);
  }
  const bool open_to_all = request.method == "GET" && IsOpenPage(request.path);
  if (options_.token && !open_to_all && !options_.token->Matches(request.authorization))
    return NoToken(/*wrong=*/request.authorization.has_value());
  if (options_.read_only && Changes(request)) {
    return ErrorAnswer(403, {.code = "PERMISSION_DENIED",
                             .message = "this server only shows: it was started with --read-only"});
  }
  return std::nullopt;
}

bool Gate::Knows(const HttpRequest& request) const {
  return !options_.token || options_.token->Matches(request.authorization);
}

std::optional<HttpResponse> RefuseBody(const HttpRequest& request) {
  if (request.body.empty()) return std::nullopt;
  if (request.content_type && IsJson(*request.content_type)) return std::nullopt;
  return ErrorAnswer(415, {.code = "INVALID_ARGUMENT",
                           .message = "a body has to be JSON",
                           .hint = "the header 'Content-Type: application/json'"});
}

}  // namespace trims::admin
