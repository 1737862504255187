#include "admin/exchange.h"

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/answers.h"
#include "admin/target.h"
#include "base/ascii.h"

namespace trims::admin {
namespace {

// So much of a body that is too large is read and dropped, so that who sends it can read the answer.
constexpr size_t kDroppedBytes = size_t{1} << 20;

// What a request may say once only: a second one is another program's opinion of what it means.
struct Headers {
  std::optional<std::string> host;
  std::optional<std::string> origin;
  std::optional<std::string> authorization;
  std::optional<std::string> content_type;
  std::optional<std::string> content_length;
  std::optional<std::string> transfer_encoding;
  std::optional<std::string> last_event_id;
  bool repeated = false;
  bool cut = false;  // a NUL stands in one
};

std::optional<std::string>* HeaderOf(std::string_view name, Headers* headers) {
  const std::string lower = InLowerCase(name);
  if (lower == "host") return &headers->host;
  if (lower == "origin") return &headers->origin;
  if (lower == "authorization") return &headers->authorization;
  if (lower == "content-type") return &headers->content_type;
  if (lower == "content-length") return &headers->content_length;
  if (lower == "transfer-encoding") return &headers->transfer_encoding;
  if (lower == "last-event-id") return &headers->last_event_id;
  return nullptr;
}

MHD_Result TakeHeader(void* headers, MHD_ValueKind, const char* name, size_t name_size,
                      const char* value, size_t value_size) {
  auto* all = static_cast<Headers*>(headers);
  std::optional<std::string>* field = HeaderOf(std::string_view(name, name_size), all);
  if (field == nullptr) return MHD_YES;
  all->repeated = all->repeated || field->has_value();
  *field = value == nullptr ? std::string() : std::string(value, value_size);
  all->cut = all->cut || (*field)->find('\0') != std::string::npos;
  return MHD_YES;
}

MHD_Result TakeParameter(void* query, MHD_ValueKind, const char* name, const char* value) {
  static_cast<std::vector<std::pair<std::string, std::string>>*>(query)->emplace_back(
      name, value == nullptr ? "" : value);
  return MHD_YES;
}

HttpResponse BadHeaders(const std::string& why) {
  return ErrorAnswer(400, {.code = "INVALID_ARGUMENT", .message = why});
}

Headers HeadersOf(MHD_Connection* connection) {
  Headers headers;
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, TakeHeader, &headers);
  return headers;
}

std::string AskedMethod(std::string_view method) {
  return method == "HEAD" ? "GET" : std::string(method);
}

}  // namespace

HttpResponse BodyTooLarge(size_t limit) {
  return ErrorAnswer(413, {.code = "TOO_LARGE",
                           .message = "the body is too large: expected at most " +
                                      std::to_string(limit) + " bytes"});
}

Exchange::Exchange(MHD_Connection* connection, const char* target, const char* method,
                   const HttpServerOptions& options)
    : limits_(options.limits) {
  request_.method = AskedMethod(method);
  answer = ReadHeaders(connection, target);
  if (!answer) answer = options.gate->Refuse(request_);
  is_known = !answer && options.gate->Knows(request_);
  if (!answer) answer = CheckLength(connection);
}

std::optional<HttpResponse> Exchange::ReadHeaders(MHD_Connection* connection, const char* target) {
  Headers headers = HeadersOf(connection);
  if (headers.repeated) return BadHeaders("a header stands twice in the request");
  if (headers.cut) return BadHeaders("a header has a NUL in it");
  if (headers.transfer_encoding && InLowerCase(*headers.transfer_encoding) != "chunked")
    return BadHeaders("a Transfer-Encoding that is not 'chunked'");
  if (headers.content_length && headers.transfer_encoding)
    return BadHeaders("the request has both a Content-Length and a Transfer-Encoding");
  request_.host = std::move(headers.host);
  request_.origin = std::move(headers.origin);
  request_.authorization = std::move(headers.authorization);
  request_.content_type = std::move(headers.content_type);
  request_.last_event_id = std::move(headers.last_event_id);
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, TakeParameter, &request_.query);
  Result<std::string> path = DecodeTarget(target);
  if (!path.ok()) return ErrorAnswer(path.status());
  request_.path = *std::move(path);
  return std::nullopt;
}

// Before a byte of it is read.
std::optional<HttpResponse> Exchange::CheckLength(MHD_Connection* connection) const {
  const std::optional<std::string> length = HeadersOf(connection).content_length;
  if (!length) return std::nullopt;
  size_t bytes = 0;
  const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), bytes);
  if (error == std::errc() && bytes <= limits_.body_bytes) return std::nullopt;
  return BodyTooLarge(limits_.body_bytes);
}

bool Exchange::TakeBody(const char* data, size_t size) {
  body_bytes_ += size;
  if (!too_large()) request_.body.append(data, size);
  return body_bytes_ <= limits_.body_bytes + kDroppedBytes;
}

}  // namespace trims::admin
