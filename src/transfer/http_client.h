// HttpClient: requests whose answers are short: lists, manifests, tokens, the head of an object.
//
//   HttpClient client(HttpPatience{});
//   TRIMS_ASSIGN_OR_RETURN(const HttpResponse response, client.Ask({.url = "https://host/v2/"}));
//   response.status;                   // 401, too, is an answer
//   response.Header("content-length");
//
// What passes (a lost connection, 408, 429, 500, 502, 503, 504) is tried again, with pauses, while there is
// time; then the last answer, or what went wrong last, is what is told.
// Redirects lead to http and https only, and take no Authorization to another host. Proxies and CA files
// come from the environment (http_proxy, https_proxy, no_proxy; CURL_CA_BUNDLE, SSL_CERT_FILE), unless
// HttpPatience names the latter.
// Thread-safety: safe; each call has a connection of its own.
#ifndef TRIMS_TRANSFER_HTTP_CLIENT_H_
#define TRIMS_TRANSFER_HTTP_CLIENT_H_

#include <chrono>
#include <cstddef>

#include "trims/status.h"

#include "base/mutex.h"
#include "transfer/http.h"

namespace trims {

struct HttpLimits {
  size_t max_body = size_t{8} << 20;
  Duration timeout = std::chrono::seconds(30);  // of each attempt
  Duration overall = std::chrono::minutes(2);   // of all attempts, with the pauses between them
  bool through_proxy = true;                    // of the environment, if it names one
};

class HttpClient {
 public:
  explicit HttpClient(HttpPatience patience) : patience_(patience) {}

  // Any answer is one, whatever its status. UNAVAILABLE: no connection, or it broke;
  // DEADLINE_EXCEEDED; PERMISSION_DENIED: the certificate; TOO_LARGE: the body is longer;
  // RESOURCE_EXHAUSTED: no memory; CANCELLED.
  Result<HttpResponse> Ask(const HttpRequest& request, const HttpLimits& limits = {});

  // Everybody who asks, or will, gets CANCELLED.
  void Cancel();

 private:
  class Exchange;
  // False: cancelled.
  bool Pause(Duration pause);
  bool cancelled();

  const HttpPatience patience_;
  Mutex mutex_;
  CondVar changed_;
  bool cancelled_ TRIMS_GUARDED_BY(mutex_) = false;
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_HTTP_CLIENT_H_
