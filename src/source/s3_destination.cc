#include "source/s3_destination.h"

#include <chrono>
#include <utility>

#include "base/macros.h"
#include "source/http_exchange.h"
#include "source/s3_store.h"

namespace trims {

S3Destination::S3Destination(const SourceUri& uri, const RemoteStoreOptions& options)
    : uri_(uri),
      options_(options),
      connections_(options),
      cleanup_client_({.attempts = 3,
                       .first_pause = options.patience.first_pause,
                       .connect = std::chrono::seconds(2),
                       .ca_file = options.patience.ca_file}) {}

Result<std::unique_ptr<S3Destination>> S3Destination::Open(const SourceUri& uri,
                                                           const RemoteStoreOptions& options) {
  std::unique_ptr<S3Destination> opened(new S3Destination(uri, options));
  TRIMS_ASSIGN_OR_RETURN(opened->location_, opened->connections_.credentials()->Location());
  opened->bucket_.emplace(uri.authority, opened->location_, opened->connections_.credentials(),
                          opened->connections_.exchange());
  opened->cleanup_.emplace(uri.authority, opened->location_, opened->connections_.credentials(),
                           ExchangeOver(&opened->cleanup_client_));
  return opened;
}

// Who may write need not be one who may list: then all is sent, and what is wrong is said by that.
Result<LengthsByName> S3Destination::LookWhatIsThere() {
  S3Store store(uri_, location_, connections_.credentials(), connections_.exchange());
  const Result<std::vector<RemoteFile>> files = store.List();
  LengthsByName lengths;
  if (files.ok()) {
    for (const RemoteFile& file : *files) lengths[file.name] = file.length;
    return lengths;
  }
  switch (files.status().code()) {
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
    case StatusCode::kInvalidArgument:
      return lengths;
    default:
      return files.status();
  }
}

Status S3Destination::Upload(const std::vector<UploadFile>& files,
                             const std::function<void(uint64_t done, uint64_t total)>& progress) {
  TRIMS_ASSIGN_OR_RETURN(LengthsByName there, LookWhatIsThere());
  const S3Target target{
      .bucket = &*bucket_, .cleanup = &*cleanup_, .prefix = uri_, .there = std::move(there)};
  return UploadToS3(
      target, files,
      {.patience = options_.patience, .progress = progress, .cancel = options_.cancel});
}

}  // namespace trims
