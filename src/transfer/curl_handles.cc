#include "transfer/curl_handles.h"

namespace trims {
namespace {

// Once in a process, before anything else of libcurl.
void InitialiseOnce() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)initialised;
}

Status NoMemory() {
  return Status(StatusCode::kResourceExhausted, "no memory for a transfer over HTTP");
}

}  // namespace

Result<CurlEasy> CurlEasy::Make() {
  InitialiseOnce();
  CURL* handle = curl_easy_init();
  if (handle == nullptr) return NoMemory();
  return CurlEasy(handle);
}

Result<CurlMulti> CurlMulti::Make() {
  InitialiseOnce();
  CURLM* handle = curl_multi_init();
  if (handle == nullptr) return NoMemory();
  return CurlMulti(handle);
}

}  // namespace trims
