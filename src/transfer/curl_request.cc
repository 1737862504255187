#include "transfer/curl_request.h"

#include <chrono>
#include <cstdlib>

#include "base/fault.h"
#include "base/macros.h"
#include "transfer/aws_signature.h"

namespace trims {
namespace {

constexpr long kMaxRedirects = 5;

// libcurl itself looks at neither variable, as the curl tool does.
void ApplyAuthorities(const std::string& ca_file, CurlEasy* easy) {
  if (!ca_file.empty()) return easy->Set(CURLOPT_CAINFO, ca_file.c_str());
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* file = std::getenv(name);
    if (file == nullptr || *file == '\0') continue;
    easy->Set(CURLOPT_CAINFO, file);
    return;
  }
}

}  // namespace

Status CurlRequest::Apply(const HttpRequest& request, const HttpPatience& patience,
                          CurlEasy* easy) {
  using std::chrono::duration_cast;
  easy->Set(CURLOPT_URL, request.url.c_str());
  easy->Set(CURLOPT_PROTOCOLS_STR, "http,https");
  easy->Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  // A signature is for one host: where S3 redirects, it means that the region is wrong.
  easy->Set(CURLOPT_FOLLOWLOCATION, request.follow_redirects && !request.signing ? 1L : 0L);
  easy->Set(CURLOPT_MAXREDIRS, kMaxRedirects);
  easy->Set(CURLOPT_NOSIGNAL, 1L);
  easy->Set(CURLOPT_ERRORBUFFER, error_);
  easy->Set(CURLOPT_USERAGENT, "trims");
  easy->Set(CURLOPT_CONNECTTIMEOUT_MS,
            static_cast<long>(duration_cast<std::chrono::milliseconds>(patience.connect).count()));
  ApplyAuthorities(patience.ca_file, easy);
  for (const std::string& header : request.headers) TRIMS_RETURN_IF_ERROR(AddHeader(header));
  if (!request.signing) return Status();
  for (const std::string& header : AwsSignatureHeaders(request, std::chrono::system_clock::now())) {
    TRIMS_RETURN_IF_ERROR(AddHeader(header));
  }
  return Status();
}

Status CurlRequest::AddHeader(const std::string& header) {
  const bool fails = fault::Check(fault::Op::kHeader) != 0;
  curl_slist* const list = fails ? nullptr : curl_slist_append(headers_.get(), header.c_str());
  if (list == nullptr)
    return Status(StatusCode::kResourceExhausted, "no memory for the headers of a request");
  (void)headers_.release();
  headers_.reset(list);
  return Status();
}

}  // namespace trims
