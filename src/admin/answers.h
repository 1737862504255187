// Answers: how documents and errors are said over HTTP.
//
//   return ErrorAnswer(404, {.code = "NOT_FOUND", .message = "there is no '/v3'", .hint = "…"});
//   return DocumentAnswer(link.List());      // the document, or the error as HTTP says it
//
// An error is {"error": {"code", "message", "hint"}}; beneath /v2, where Triton's clients ask, {"error": message, "code", "hint"}.
// Thread-safety: pure functions.
#ifndef TRIMS_ADMIN_ANSWERS_H_
#define TRIMS_ADMIN_ANSWERS_H_

#include <string>
#include <string_view>

#include "trims/status.h"

#include "admin/message.h"

namespace trims::admin {

// "UNAUTHENTICATED" and the like, which are HTTP's own, beside StatusCodeName().
struct Problem {
  std::string code;
  std::string message;
  std::string hint = {};
};

// 503 for a daemon that is away, 504 for one that hangs, 404, 403, …
int HttpStatusOf(StatusCode code);

HttpResponse JsonAnswer(std::string document);
HttpResponse ErrorAnswer(int http_status, const Problem& problem);
HttpResponse ErrorAnswer(const Status& status);
HttpResponse DocumentAnswer(Result<std::string> document);

// What Triton's clients read of an error.
HttpResponse InTritonsForm(HttpResponse answer);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_ANSWERS_H_
