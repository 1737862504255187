// What a server's answer, or the lack of one, means: a status that names the URL without its secrets, and
// whether another attempt makes sense.
//
// Thread-safety: pure functions.
#ifndef TRIMS_TRANSFER_HTTP_ERROR_H_
#define TRIMS_TRANSFER_HTTP_ERROR_H_

#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

// As an error may show it: without user, password, query and fragment, which may be secrets.
std::string UrlWithoutSecrets(std::string_view url);

// The first line of an error's body, what is printable of it, in quotes; empty: it says nothing.
std::string ServersWords(std::string_view body);

// The kind of error that a status other than 2xx is: as HttpError() says; `otherwise` of the others.
StatusCode HttpErrorCode(int http_status, StatusCode otherwise = StatusCode::kInvalidArgument);

// Of an answer other than 2xx. 404, 410: NOT_FOUND; 401, 403, 407: PERMISSION_DENIED; 412, 416:
// FAILED_PRECONDITION, since an object that is another one now doesn't have the range or the ETag;
// 408, 429, 5xx: UNAVAILABLE; others: INVALID_ARGUMENT.
Status HttpError(const std::string& url, int http_status, std::string_view body);

// 408, 429, 500, 502, 503, 504.
bool IsPassing(int http_status);

// Of a transfer that ended without an answer or within it. `code` is libcurl's, and `what` its words.
// DEADLINE_EXCEEDED: nothing came; PERMISSION_DENIED: the certificate; others: UNAVAILABLE.
Status TransferError(const std::string& url, int code, std::string_view what);

bool IsPassingTransferError(int code);

}  // namespace trims

#endif  // TRIMS_TRANSFER_HTTP_ERROR_H_
