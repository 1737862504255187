#include "admin/answers.h"

#include <utility>

#include "admin/json_fields.h"

namespace trims::admin {

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
  HttpResponse answer = JsonAnswer(DumpJson(
      {{"error", {{"code", problem.code}, {"message", problem.message}, {"hint", problem.hint}}}}));
  answer.status = http_status;
  return answer;
}

HttpResponse ErrorAnswer(const Status& status) {
  return ErrorAnswer(HttpStatusOf(status.code()),
                     {.code = std::string(StatusCodeName(status.code())),
                      .message = status.message(),
                      .hint = status.hint()});
}

HttpResponse DocumentAnswer(Result<std::string> document) {
  if (!document.ok()) return ErrorAnswer(document.status());
  return JsonAnswer(*std::move(document));
}

HttpResponse InTritonsForm(HttpResponse answer) {
  if (answer.status < 400) return answer;
  const Json json = ParseJson(answer.body);
  const Json& error = FieldOf(json, "error");
  if (!error.is_object()) return answer;
  answer.body = DumpJson({{"error", TextOf(error, "message")},
                          {"code", TextOf(error, "code")},
                          {"hint", TextOf(error, "hint")}});
  answer.body += '\n';
  return answer;
}

}  // namespace trims::admin
