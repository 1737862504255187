// What all requests of ours have in common, as options of a libcurl handle: http and https only, also
// after redirects; proxies and, unless one is named, CA files of the environment; the limit of time to connect.
//
// Thread-safety: one thread at a time.
#ifndef TRIMS_TRANSFER_CURL_REQUEST_H_
#define TRIMS_TRANSFER_CURL_REQUEST_H_

#include <string>
#include <string_view>

#include "trims/status.h"

#include "transfer/curl_handles.h"
#include "transfer/http.h"

namespace trims {

// What the handle borrows: it lives as long as the transfer.
class CurlRequest {
 public:
  // All but what to do with the answer, the range and the body, and but for limits of time after the
  // connection is there. RESOURCE_EXHAUSTED: no memory for a header, without which it would be another
  // request.
  [[nodiscard]] Status Apply(const HttpRequest& request, const HttpPatience& patience,
                             CurlEasy* easy);
  [[nodiscard]] Status AddHeader(const std::string& header);
  void ApplyHeaders(CurlEasy* easy) { easy->Set(CURLOPT_HTTPHEADER, headers_.get()); }

  // libcurl's own words for what went wrong; empty: none.
  std::string_view error() const { return error_; }

 private:
  CurlList headers_;
  char error_[CURL_ERROR_SIZE] = "";
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_CURL_REQUEST_H_
