#include "transfer/http_error.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace trims {
namespace {

constexpr size_t kMaxWords = 200;
constexpr size_t kMaxShownUrl = 300;

std::string MeaningOf(int http_status) {
  switch (HttpErrorCode(http_status)) {
    case StatusCode::kPermissionDenied:
      return "refuses it to this caller";
    case StatusCode::kNotFound:
      return "has no such thing";
    case StatusCode::kFailedPrecondition:
      return "has something else there now: it changed meanwhile";
    case StatusCode::kUnavailable:
      return "can't serve it now";
    default:
      return "doesn't serve it";
  }
}

}  // namespace

StatusCode HttpErrorCode(int http_status, StatusCode otherwise) {
  switch (http_status) {
    case 401:
    case 403:
    case 407:
      return StatusCode::kPermissionDenied;
    case 404:
    case 410:
      return StatusCode::kNotFound;
    case 412:
    case 416:
      return StatusCode::kFailedPrecondition;
    case 408:
    case 429:
      return StatusCode::kUnavailable;
    default:
      return http_status >= 500 ? StatusCode::kUnavailable : otherwise;
  }
}

std::string UrlWithoutSecrets(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const size_t host = url.find("://");
  std::string shown(url.substr(0, kMaxShownUrl));
  if (host == std::string_view::npos) return shown;
  const size_t begin = host + 3;
  const std::string_view authority = url.substr(begin, url.find('/', begin) - begin);
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) shown.erase(begin, at + 1);
  return shown;
}

std::string ServersWords(std::string_view body) {
  std::string words;
  for (const char c : body.substr(0, body.find_first_of("\r\n"))) {
    if (words.size() == kMaxWords) break;
    if (c >= 0x20 && c < 0x7f) words += c;
  }
  return words.empty() ? words : "'" + words + "'";
}

Status HttpError(const std::string& url, int http_status, std::string_view body) {
  std::string message = UrlWithoutSecrets(url) + ": the server " + MeaningOf(http_status) +
                        " (HTTP " + std::to_string(http_status) + ")";
  const std::string words = ServersWords(body);
  if (!words.empty()) message += ", it says " + words;
  return Status(HttpErrorCode(http_status), std::move(message));
}

bool IsPassing(int http_status) {
  constexpr std::array kPassing = {408, 429, 500, 502, 503, 504};
  return std::find(kPassing.begin(), kPassing.end(), http_status) != kPassing.end();
}

Status TransferError(const std::string& url, int code, std::string_view what) {
  StatusCode kind = StatusCode::kUnavailable;
  std::string hint;
  if (code == CURLE_OPERATION_TIMEDOUT) kind = StatusCode::kDeadlineExceeded;
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    kind = StatusCode::kPermissionDenied;
    hint = "name the authority that signed it: export CURL_CA_BUNDLE=FILE for trimsd";
  }
  const std::string_view words =
      what.empty() ? std::string_view(curl_easy_strerror(static_cast<CURLcode>(code))) : what;
  return Status(kind, UrlWithoutSecrets(url) + ": " + std::string(words), std::move(hint));
}

bool IsPassingTransferError(int code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return true;
    default:
      return false;
  }
}

}  // namespace trims
