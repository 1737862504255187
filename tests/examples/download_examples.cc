// The examples of what downloads models.
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel_token.h"
#include "base/macros.h"
#include "source/connections.h"
#include "source/download.h"
#include "source/download_choice.h"
#include "source/download_landing.h"
#include "source/http_exchange.h"
#include "source/http_store.h"
#include "source/open_remote_store.h"
#include "source/part_file.h"
#include "source/part_writer.h"
#include "source/remote_bytes.h"
#include "source/remote_tree.h"
#include "source/s3_store.h"
#include "transfer/http_client.h"

namespace trims {
namespace {

void Fetch(std::span<std::byte>) {}

void CancelTokenExample(HttpClient& client) {
  // example: src/base/cancel_token.h
  CancelToken token;
  const CancelToken::Watch watch(&token, [&] { client.Cancel(); });
  token.Cancel();
  // end
}

Status DownloadExample(RemoteStore& store) {
  // example: src/source/download.h
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
  TRIMS_RETURN_IF_ERROR(
      Download(&store, files, {.files = "/d/files", .partial = "/d/partial"}, {}));
  // end
  return {};
}

Status DownloadLandingExample(RemoteStore& store, const RemoteFile& file,
                              const DownloadPlace& place, DownloadLanding& landing) {
  // example: src/source/download_landing.h
  return Download(&store, {file}, place, {.landing = &landing});
  // end
}

Status PartWriterExample(DirectFile file, const std::string& path, PartWriter::Wrote wrote,
                         uint64_t range, uint64_t offset, std::span<const std::byte> bytes) {
  // example: src/source/part_writer.h
  TRIMS_ASSIGN_OR_RETURN(const auto writer, PartWriter::Start(std::move(file), path, wrote));
  TRIMS_RETURN_IF_ERROR(writer->Write(range, offset, bytes));
  TRIMS_RETURN_IF_ERROR(writer->Finish());
  // end
  return {};
}

void DownloadChoiceExample(const std::vector<RemoteFile>& listed) {
  // example: src/source/download_choice.h
  const std::vector<RemoteFile> files = WorthFetching(listed);
  // end
}

void HttpExchangeExample(const SourceUri& uri, const S3Location& location,
                         AwsCredentialSource& credentials) {
  // example: src/source/http_exchange.h
  HttpClient client(HttpPatience{});
  S3Store store(uri, location, &credentials, ExchangeOver(&client));
  // end
}

void ConnectionsExample(const SourceUri& uri, CancelToken& cancel) {
  // example: src/source/connections.h
  Connections connections({.cancel = &cancel});
  HttpStore store(uri, connections.exchange());
  // end
}

Status RemoteTreeExample(const SourceUri& uri) {
  // example: src/source/remote_tree.h
  TRIMS_ASSIGN_OR_RETURN(const auto tree, RemoteTree::Open(uri, {}));
  TRIMS_ASSIGN_OR_RETURN(const RemoteFile file, tree->Find("ort-12/extent"));
  TRIMS_ASSIGN_OR_RETURN(const RemoteRequest request, tree->store().RequestFor(file));
  // end
  return {};
}

Status RemoteBytesExample(const std::shared_ptr<const RemoteTree>& tree,
                          std::span<std::byte> page) {
  // example: src/source/remote_bytes.h
  TRIMS_ASSIGN_OR_RETURN(const auto file, RemoteBytes::Open(tree, "ort-12/extent"));
  TRIMS_RETURN_IF_ERROR(file->ReadAt(4096, page));
  // end
  return {};
}

Status HttpStoreExample(const SourceUri& uri, const SmallExchange& exchange) {
  // example: src/source/http_store.h
  HttpStore store(uri, exchange);
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
  files.front().name;
  // end
  return {};
}

Status OpenRemoteStoreExample(const SourceUri& uri) {
  // example: src/source/open_remote_store.h
  TRIMS_ASSIGN_OR_RETURN(const auto opened, OpenRemoteStore(uri, {}));
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, opened->store().List());
  // end
  return {};
}

Status PartFileExample(const DownloadPlace& place, const RemoteFile& file, uint64_t range) {
  // example: src/source/part_file.h
  TRIMS_ASSIGN_OR_RETURN(PartFile part, PartFile::Open(place, file));
  for (const uint64_t range : part.missing()) Fetch(part.RangeOf(range));
  TRIMS_RETURN_IF_ERROR(part.Complete(range));
  TRIMS_RETURN_IF_ERROR(std::move(part).Finish());
  // end
  return {};
}

}  // namespace
}  // namespace trims
