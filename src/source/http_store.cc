#include "source/http_store.h"

#include <charconv>
#include <optional>

#include "base/macros.h"
#include "source/percent.h"
#include "transfer/content_range.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

std::optional<uint64_t> WholeNumber(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || parsed != end || text.empty()) return std::nullopt;
  return number;
}

std::optional<uint64_t> LengthOf(const SmallReply& reply) {
  if (reply.status != 206) return WholeNumber(reply.Header("content-length"));
  const std::optional<ContentRange> range = ParseContentRange(reply.Header("content-range"));
  return range ? range->total : std::nullopt;
}

// Of a server that would answer a GET.
bool RefusesHeads(int status) {
  return status == 400 || status == 403 || status == 405 || status == 501;
}

}  // namespace

Result<std::vector<RemoteFile>> HttpStore::List() {
  RemoteFile file{.url = url_};
  const std::string_view last = std::string_view(path_).substr(path_.rfind('/') + 1);
  if (!PercentDecode(last, &file.name) || file.name.empty()) {
    return Status(StatusCode::kInvalidArgument, "'" + UrlWithoutSecrets(url_) + "' names no file",
                  "give the URL of a model's file");
  }
  TRIMS_ASSIGN_OR_RETURN(SmallReply reply, exchange_({.method = "HEAD", .url = url_}));
  if (RefusesHeads(reply.status)) {
    TRIMS_ASSIGN_OR_RETURN(reply, exchange_({.url = url_, .headers = {"Range: bytes=0-0"}}));
  }
  if (reply.status != 200 && reply.status != 206) return HttpError(url_, reply.status, reply.body);
  const std::optional<uint64_t> length = LengthOf(reply);
  if (!length) {
    return Status(StatusCode::kUnimplemented,
                  UrlWithoutSecrets(url_) + ": the server doesn't say how long it is",
                  "download it, and add the file");
  }
  file.length = *length;
  file.etag = reply.Header("etag");
  file.last_modified = reply.Header("last-modified");
  std::vector<RemoteFile> files = {std::move(file)};
  TRIMS_RETURN_IF_ERROR(CheckListing(&files, UrlWithoutSecrets(url_)));
  return files;
}

Result<RemoteRequest> HttpStore::RequestFor(const RemoteFile& file) {
  return RemoteRequest{.url = file.url};
}

}  // namespace trims
