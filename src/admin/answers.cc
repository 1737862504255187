#include "admin/answers.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace trims::admin {
namespace {

using Json = nlohmann::ordered_json;

// Texts may hold a stranger's bytes.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace

int HttpStatusOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return 200;
    case StatusCode::kInvalidArgument:
      return 400;
    case StatusCode::kNotFound:
      return 404;
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
      return 409;
    case StatusCode::kPermissionDenied:
      return 403;
    case StatusCode::kQuotaExceeded:
      return 429;
    case StatusCode::kTooLarge:
    case StatusCode::kResourceExhausted:
      return 507;
    case StatusCode::kUnavailable:
      return 503;
    case StatusCode::kDeadlineExceeded:
      return 504;
    case StatusCode::kUnimplemented:
      return 501;
    case StatusCode::kDataLoss:
    case StatusCode::kCancelled:
    case StatusCode::kInternal:
      break;
  }
  return 500;
}

HttpResponse JsonAnswer(std::string document) {
  HttpResponse answer;
  answer.body = std::move(document);
  answer.body += '\n';
  return answer;
}

HttpResponse ErrorAnswer(int http_status, const Problem& problem) {
  HttpResponse answer = JsonAnswer(Dump(
      {{"error", {{"code", problem.code}, {"message", problem.message}, {"hint", problem.hint}}}}));
  answer.status = http_status;
  return answer;
}

HttpResponse ErrorAnswer(const Status& status) {
  return ErrorAnswer(HttpStatusOf(status.code()), {.code = std::string(StatusCodeName(status.code())),
                                                   .message = status.message(),
                                                   .hint = status.hint()});
}

HttpResponse DocumentAnswer(Result<std::string> document) {
  if (!document.ok()) return ErrorAnswer(document.status());
  return JsonAnswer(*std::move(document));
}

HttpResponse InTritonsForm(HttpResponse answer) {
  if (answer.status < 400) return answer;
  const Json json = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object()) return answer;
  const Json& error = json["error"];
  answer.body = Dump({{"error", error["message"]}, {"code", error["code"]}, {"hint", error["hint"]}});
  answer.body += '\n';
  return answer;
}

}  // namespace trims::admin
