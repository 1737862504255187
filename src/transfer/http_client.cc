#include "transfer/http_client.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "base/macros.h"
#include "transfer/back_off.h"
#include "transfer/curl_handles.h"
#include "transfer/curl_request.h"
#include "transfer/header_line.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

double Random() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

Status Cancelled(const std::string& url) {
  return Status(StatusCode::kCancelled, UrlWithoutSecrets(url) + ": given up");
}

}  // namespace

// One attempt.
class HttpClient::Exchange {
 public:
  Exchange(HttpClient* client, const HttpRequest& request, const HttpLimits& limits,
           Duration timeout)
      : client_(*client), request_(request), limits_(limits), timeout_(timeout) {}

  Result<HttpResponse> Run() {
    TRIMS_ASSIGN_OR_RETURN(CurlEasy easy, CurlEasy::Make());
    TRIMS_RETURN_IF_ERROR(Configure(&easy));
    const CURLcode code = curl_easy_perform(easy.get());
    if (client_.cancelled()) return Cancelled(request_.url);
    if (too_long_) return TooLong();
    passing_ = IsPassingTransferError(code);
    if (code != CURLE_OK) return TransferError(request_.url, code, options_.error());
    response_.status = static_cast<int>(easy.Get<long>(CURLINFO_RESPONSE_CODE));
    passing_ = IsPassing(response_.status);
    return std::move(response_);
  }

  // Whether another attempt makes sense, after Run().
  bool passing() const { return passing_; }

 private:
  Status Configure(CurlEasy* easy) {
    TRIMS_RETURN_IF_ERROR(options_.Apply(request_, client_.patience_, easy));
    options_.ApplyHeaders(easy);
    if (!limits_.through_proxy) easy->Set(CURLOPT_PROXY, "");
    easy->Set(CURLOPT_TIMEOUT_MS,
              static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(timeout_).count()));
    easy->Set(CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
    easy->Set(CURLOPT_HEADERDATA, this);
    easy->Set(CURLOPT_WRITEFUNCTION, &Exchange::OnBody);
    easy->Set(CURLOPT_WRITEDATA, this);
    easy->Set(CURLOPT_NOPROGRESS, 0L);
    easy->Set(CURLOPT_XFERINFOFUNCTION, &Exchange::OnProgress);
    easy->Set(CURLOPT_XFERINFODATA, this);
    if (request_.method == "HEAD") {
      easy->Set(CURLOPT_NOBODY, 1L);
    } else if (request_.method != "GET") {
      easy->Set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
      easy->Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      easy->Set(CURLOPT_POSTFIELDS, request_.body.data());
    }
    return Status();
  }

  static size_t OnHeader(char* data, size_t size, size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const std::string_view line(data, size * count);
    if (line.starts_with("HTTP/")) exchange.response_.headers.clear();  // after a redirect
    HeaderLine header = ParseHeaderLine(line);
    if (!header.name.empty()) {
      exchange.response_.headers[std::move(header.name)] = std::string(header.value);
    }
    return line.size();
  }

  static size_t OnBody(char* data, size_t size, size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const size_t length = size * count;
    exchange.too_long_ = exchange.response_.body.size() + length > exchange.limits_.max_body;
    if (exchange.too_long_) return 0;
    exchange.response_.body.append(data, length);
    return length;
  }

  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Exchange*>(self)->client_.cancelled() ? 1 : 0;
  }

  Status TooLong() const {
    return Status(StatusCode::kTooLarge, UrlWithoutSecrets(request_.url) +
                                             ": an answer of more than " +
                                             std::to_string(limits_.max_body) + " bytes");
  }

  HttpClient& client_;
  const HttpRequest& request_;
  const HttpLimits& limits_;
  const Duration timeout_;  // more than nothing
  CurlRequest options_;
  HttpResponse response_;
  bool too_long_ = false;
  bool passing_ = false;
};

Result<HttpResponse> HttpClient::Ask(const HttpRequest& request, const HttpLimits& limits) {
  const SteadyClock clock;
  const TimePoint deadline = clock.Now() + limits.overall;
  Duration left = limits.overall;
  Duration pause = Duration::zero();
  std::optional<HttpResponse> answer;  // that came last
  for (int attempt = 1;; ++attempt) {
    if (!Pause(pause)) return Cancelled(request.url);
    const bool cut_short = left < limits.timeout;
    Exchange exchange(this, request, limits, std::min(limits.timeout, left));
    Result<HttpResponse> response = exchange.Run();
    if (!exchange.passing() || attempt >= patience_.attempts) return response;
    std::optional<Duration> retry_after;
    if (response.ok()) retry_after = ParseRetryAfter(response->Header("retry-after"));
    pause = PauseBefore(attempt + 1, patience_, retry_after, Random());
    left = deadline - clock.Now() - pause;
    if (left > Duration::zero()) {
      if (response.ok()) answer = *std::move(response);
      continue;
    }
    // That the limit of all came in the middle of an attempt says less than the answer before it.
    if (!response.ok() && cut_short && answer) return *std::move(answer);
    return response;
  }
}

void HttpClient::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  changed_.NotifyAll();
}

bool HttpClient::Pause(Duration pause) {
  const TimePoint until = SteadyClock().Now() + pause;
  MutexLock lock(mutex_);
  while (!cancelled_ && pause > Duration::zero() && changed_.WaitUntil(mutex_, until)) {
  }
  return !cancelled_;
}

bool HttpClient::cancelled() {
  MutexLock lock(mutex_);
  return cancelled_;
}

}  // namespace trims
