// What all requests of ours have in common, as options of a libcurl handle: http and https only, also
// after redirects; proxies and CA files of the environment; limits of time.
//
// Thread-safety: one thread at a time.
#ifndef TRIMS_TRANSFER_CURL_REQUEST_H_
#define TRIMS_TRANSFER_CURL_REQUEST_H_

#include <string_view>

#include "transfer/curl_handles.h"
#include "transfer/http.h"

namespace trims {

// What the handle borrows: it lives as long as the transfer.
class CurlRequest {
 public:
  // All but what to do with the answer, the range and the body.
  void Apply(const HttpRequest& request, const HttpPatience& patience, CurlEasy* easy);
  void AddHeader(const std::string& header);
  void ApplyHeaders(CurlEasy* easy) { easy->Set(CURLOPT_HTTPHEADER, headers_.get()); }

  // libcurl's own words for what went wrong; empty: none.
  std::string_view error() const { return error_; }

 private:
  CurlList headers_;
  char error_[CURL_ERROR_SIZE] = "";
};

// "Name: value\r\n" of an answer, the name in lower case; a line that is none gives an empty name.
struct HeaderLine {
  std::string name;
  std::string_view value;
};
HeaderLine ParseHeaderLine(std::string_view line);

}  // namespace trims

#endif  // TRIMS_TRANSFER_CURL_REQUEST_H_
