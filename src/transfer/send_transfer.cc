#include "transfer/send_transfer.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/macros.h"
#include "transfer/back_off.h"
#include "transfer/header_line.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

constexpr size_t kMaxAnswer = 64 << 10;  // what is longer is cut off: such answers are words
constexpr long kSendBuffer = 256 << 10;

}  // namespace

Result<CURL*> SendTransfer::Begin(const HttpPatience& patience, const TransferPace& pace,
                                  TimePoint now) {
  CountAttempt();
  options_ = std::make_unique<CurlRequest>();
  response_ = {};
  SetSent(0);
  stall_.Begin(patience, pace, now, 0);
  if (!easy_) {
    TRIMS_ASSIGN_OR_RETURN(CurlEasy easy, CurlEasy::Make());
    easy_.emplace(std::move(easy));
  }
  curl_easy_reset(easy_->get());
  TRIMS_RETURN_IF_ERROR(options_->Apply(request_, patience, &*easy_));
  options_->ApplyHeaders(&*easy_);
  easy_->Set(CURLOPT_FOLLOWLOCATION, 0L);  // the body is for one host
  easy_->Set(CURLOPT_UPLOAD, 1L);
  easy_->Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  easy_->Set(CURLOPT_UPLOAD_BUFFERSIZE, kSendBuffer);
  easy_->Set(CURLOPT_READFUNCTION, &SendTransfer::OnRead);
  easy_->Set(CURLOPT_READDATA, this);
  easy_->Set(CURLOPT_SEEKFUNCTION, &SendTransfer::OnSeek);
  easy_->Set(CURLOPT_SEEKDATA, this);
  easy_->Set(CURLOPT_HEADERFUNCTION, &SendTransfer::OnHeader);
  easy_->Set(CURLOPT_HEADERDATA, this);
  easy_->Set(CURLOPT_WRITEFUNCTION, &SendTransfer::OnBody);
  easy_->Set(CURLOPT_WRITEDATA, this);
  easy_->Set(CURLOPT_MAX_SEND_SPEED_LARGE, static_cast<curl_off_t>(pace.bytes_per_second));
  return easy_->get();
}

size_t SendTransfer::OnRead(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<SendTransfer*>(self);
  const std::span<const std::byte> left = transfer.body_.subspan(transfer.sent_);
  const size_t length = std::min(size * count, left.size());
  if (length == 0) return 0;
  std::memcpy(data, left.data(), length);
  transfer.SetSent(transfer.sent_ + length);
  return length;
}

// A connection that was kept may turn out to be closed: the body then goes once more from its beginning.
int SendTransfer::OnSeek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<SendTransfer*>(self);
  const bool within =
      origin == SEEK_SET && offset >= 0 && static_cast<uint64_t>(offset) <= transfer.body_.size();
  if (!within) return CURL_SEEKFUNC_FAIL;
  transfer.SetSent(static_cast<uint64_t>(offset));
  return CURL_SEEKFUNC_OK;
}

void SendTransfer::SetSent(uint64_t sent) {
  sent_ = sent;
  if (on_sent_) on_sent_(tag(), sent);
}

size_t SendTransfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<SendTransfer*>(self);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) transfer.response_.headers.clear();  // after "100 Continue"
  HeaderLine header = ParseHeaderLine(line);
  if (!header.name.empty())
    transfer.response_.headers[std::move(header.name)] = std::string(header.value);
  return line.size();
}

size_t SendTransfer::OnBody(char* data, size_t size, size_t count, void* self) {
  std::string& body = static_cast<SendTransfer*>(self)->response_.body;
  body.append(data, std::min(size * count, kMaxAnswer - body.size()));
  return size * count;
}

TransferEnding SendTransfer::End(CURLcode code) {
  if (code != CURLE_OK) {
    return {.status = TransferError(request_.url, code, options_->error()),
            .passing = IsPassingTransferError(code),
            .retry_after = {}};
  }
  response_.status = static_cast<int>(easy_->Get<long>(CURLINFO_RESPONSE_CODE));
  return {.status = {},
          .passing = IsPassing(response_.status),
          .retry_after = ParseRetryAfter(response_.Header("retry-after"))};
}

TransferEnding SendTransfer::EndStalled() {
  return {.status = Status(StatusCode::kDeadlineExceeded, UrlWithoutSecrets(request_.url) + ": " +
                                                              stall_.Words(sent_, "were taken")),
          .passing = true,
          .retry_after = {}};
}

}  // namespace trims
