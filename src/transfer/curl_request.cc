#include "transfer/curl_request.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "transfer/aws_signature.h"

namespace trims {
namespace {

constexpr long kMaxRedirects = 5;

// libcurl itself looks at neither, as the curl tool does.
void ApplyAuthorities(CurlEasy* easy) {
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* file = std::getenv(name);
    if (file == nullptr || *file == '\0') continue;
    easy->Set(CURLOPT_CAINFO, file);
    return;
  }
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

void CurlRequest::Apply(const HttpRequest& request, const HttpPatience& patience, CurlEasy* easy) {
  using std::chrono::duration_cast;
  easy->Set(CURLOPT_URL, request.url.c_str());
  easy->Set(CURLOPT_PROTOCOLS_STR, "http,https");
  easy->Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  // A signature is for one host: where S3 redirects, it means that the region is wrong.
  easy->Set(CURLOPT_FOLLOWLOCATION, request.signing ? 0L : 1L);
  easy->Set(CURLOPT_MAXREDIRS, kMaxRedirects);
  easy->Set(CURLOPT_NOSIGNAL, 1L);
  easy->Set(CURLOPT_ERRORBUFFER, error_);
  easy->Set(CURLOPT_USERAGENT, "trims");
  easy->Set(CURLOPT_CONNECTTIMEOUT_MS,
            static_cast<long>(duration_cast<std::chrono::milliseconds>(patience.connect).count()));
  easy->Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  easy->Set(
      CURLOPT_LOW_SPEED_TIME,
      std::max(1L, static_cast<long>(duration_cast<std::chrono::seconds>(patience.stall).count())));
  ApplyAuthorities(easy);
  for (const std::string& header : request.headers) AddHeader(header);
  if (!request.signing) return;
  for (const std::string& header : AwsSignatureHeaders(request, std::chrono::system_clock::now())) {
    AddHeader(header);
  }
}

void CurlRequest::AddHeader(const std::string& header) {
  curl_slist* const list = curl_slist_append(headers_.get(), header.c_str());
  if (list == nullptr) return;
  (void)headers_.release();
  headers_.reset(list);
}

HeaderLine ParseHeaderLine(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  HeaderLine header{.name = std::string(line.substr(0, colon)), .value = line.substr(colon + 1)};
  std::transform(header.name.begin(), header.name.end(), header.name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  while (!header.value.empty() && IsSpace(header.value.front())) header.value.remove_prefix(1);
  while (!header.value.empty() && IsSpace(header.value.back())) header.value.remove_suffix(1);
  return header;
}

}  // namespace trims
