#include "transfer/range_transfer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/macros.h"
#include "transfer/back_off.h"
#include "transfer/content_range.h"
#include "transfer/header_line.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

constexpr size_t kMaxErrorBody = 2048;
constexpr long kReceiveBuffer = 256 << 10;

bool IsStrong(std::string_view etag) { return etag.starts_with('"'); }

Status NotWhatWasAsked(const std::string& url, const std::string& what) {
  return Status(StatusCode::kDataLoss, UrlWithoutSecrets(url) + ": " + what);
}

}  // namespace

Result<CURL*> RangeTransfer::Begin(const HttpPatience& patience, const TransferPace& pace,
                                   TimePoint now) {
  CountAttempt();
  options_ = std::make_unique<CurlRequest>();
  content_range_.clear();
  etag_.clear();
  last_modified_.clear();
  length_.clear();
  retry_after_.clear();
  error_body_.clear();
  head_checked_ = false;
  refused_ = Status();
  stall_.Begin(patience, pace, now, reached_);
  if (!easy_) {
    TRIMS_ASSIGN_OR_RETURN(CurlEasy easy, CurlEasy::Make());
    easy_.emplace(std::move(easy));
  }
  curl_easy_reset(easy_->get());
  TRIMS_RETURN_IF_ERROR(options_->Apply(object_->request, patience, &*easy_));
  const uint64_t first = offset_ + reached_;
  TRIMS_RETURN_IF_ERROR(options_->AddHeader("Range: bytes=" + std::to_string(first) + "-" +
                                            std::to_string(offset_ + destination_.size() - 1)));
  // A weak one is for no range (RFC 9110, section 13.1.1); it is compared all the same.
  if (IsStrong(object_->etag))
    TRIMS_RETURN_IF_ERROR(options_->AddHeader("If-Match: " + object_->etag));
  options_->ApplyHeaders(&*easy_);
  easy_->Set(CURLOPT_HEADERFUNCTION, &RangeTransfer::OnHeader);
  easy_->Set(CURLOPT_HEADERDATA, this);
  easy_->Set(CURLOPT_WRITEFUNCTION, &RangeTransfer::OnBody);
  easy_->Set(CURLOPT_WRITEDATA, this);
  easy_->Set(CURLOPT_PRIVATE, this);
  easy_->Set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  easy_->Set(CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(pace.bytes_per_second));
  return easy_->get();
}

size_t RangeTransfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<RangeTransfer*>(self);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {  // another answer, after a redirect
    transfer.content_range_.clear();
    transfer.etag_.clear();
    transfer.last_modified_.clear();
    transfer.length_.clear();
    transfer.retry_after_.clear();
  }
  const HeaderLine header = ParseHeaderLine(line);
  if (header.name == "content-range") transfer.content_range_ = header.value;
  if (header.name == "etag") transfer.etag_ = header.value;
  if (header.name == "last-modified") transfer.last_modified_ = header.value;
  if (header.name == "content-length") transfer.length_ = header.value;
  if (header.name == "retry-after") transfer.retry_after_ = header.value;
  return line.size();
}

size_t RangeTransfer::OnBody(char* data, size_t size, size_t count, void* self) {
  return static_cast<RangeTransfer*>(self)->Take(std::as_bytes(std::span(data, size * count)));
}

size_t RangeTransfer::Take(std::span<const std::byte> bytes) {
  const int http_status = static_cast<int>(easy_->Get<long>(CURLINFO_RESPONSE_CODE));
  if (http_status >= 300) {
    const size_t room = kMaxErrorBody - error_body_.size();
    error_body_.append(reinterpret_cast<const char*>(bytes.data()), std::min(room, bytes.size()));
    return bytes.size();
  }
  if (!std::exchange(head_checked_, true)) refused_ = CheckHead(http_status);
  if (refused_.ok() && bytes.size() > missing()) {
    refused_ = NotWhatWasAsked(url(), "more bytes than were asked for");
  }
  if (!refused_.ok()) return 0;
  std::memcpy(destination_.data() + reached_, bytes.data(), bytes.size());
  reached_ += bytes.size();
  return bytes.size();
}

// A date is of whole seconds, so that it tells less than a strong ETag does, and differs between servers of
// one object more often.
bool RangeTransfer::IsAnother() const {
  if (!object_->etag.empty() && !etag_.empty() && etag_ != object_->etag) return true;
  return !IsStrong(object_->etag) && !object_->last_modified.empty() && !last_modified_.empty() &&
         last_modified_ != object_->last_modified;
}

Status RangeTransfer::CheckHead(int http_status) const {
  if (IsAnother()) {
    return Status(StatusCode::kFailedPrecondition,
                  UrlWithoutSecrets(url()) + ": it changed while it was read");
  }
  return http_status == 206 ? CheckContentRange() : CheckWhole();
}

Status RangeTransfer::CheckContentRange() const {
  const std::optional<ContentRange> range = ParseContentRange(content_range_);
  const ContentRange asked{offset_ + reached_, missing(), object_->length};
  const bool right = range && range->first == asked.first && range->length == asked.length;
  if (right && range->total.value_or(object_->length) == object_->length) return Status();
  if (right) {
    return Status(StatusCode::kFailedPrecondition,
                  UrlWithoutSecrets(url()) + ": it has " + std::to_string(*range->total) +
                      " bytes now, and had " + std::to_string(object_->length) +
                      ": it changed while it was read");
  }
  return NotWhatWasAsked(url(), "asked for " + std::to_string(asked.length) + " bytes from " +
                                    std::to_string(asked.first) + ", the server sends '" +
                                    content_range_.substr(0, 100) + "'");
}

// A server that knows no ranges sends all of it.
Status RangeTransfer::CheckWhole() const {
  const bool whole = offset_ == 0 && reached_ == 0 && destination_.size() == object_->length;
  if (!whole) {
    return Status(
        StatusCode::kUnimplemented,
        UrlWithoutSecrets(url()) + ": the server can't send a part of it (no byte ranges)",
        "download it, and add the file");
  }
  if (length_.empty() || length_ == std::to_string(object_->length)) return Status();
  return NotWhatWasAsked(url(), "expected " + std::to_string(object_->length) +
                                    " bytes, the server sends " + length_.substr(0, 20));
}

TransferEnding RangeTransfer::EndStalled() {
  return {.status = Status(StatusCode::kDeadlineExceeded,
                           UrlWithoutSecrets(url()) + ": " + stall_.Words(reached_, "came")),
          .passing = true,
          .retry_after = {}};
}

TransferEnding RangeTransfer::End(CURLcode code) {
  if (!refused_.ok()) return {.status = refused_, .passing = false, .retry_after = {}};
  const int http_status = static_cast<int>(easy_->Get<long>(CURLINFO_RESPONSE_CODE));
  if (code == CURLE_OK && http_status >= 300) {
    return {.status = HttpError(url(), http_status, error_body_),
            .passing = IsPassing(http_status),
            .retry_after = ParseRetryAfter(retry_after_)};
  }
  if (code != CURLE_OK) {
    return {.status = TransferError(url(), code, options_->error()),
            .passing = IsPassingTransferError(code),
            .retry_after = {}};
  }
  if (missing() == 0) return {};
  return {
      .status = Status(StatusCode::kUnavailable, UrlWithoutSecrets(url()) + ": the answer ended " +
                                                     std::to_string(missing()) + " bytes early"),
      .passing = true,
      .retry_after = {}};
}

}  // namespace trims
