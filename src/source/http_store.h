// HttpStore: one file on a web server.
//
//   HttpStore store(uri, exchange);
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
//   files.front().name;  // the last part of the URL's path
//
// The name is the URL's, whatever the server says of names. Its length, ETag and date come from a HEAD, or, where
// the server refuses those, from a GET of its first byte. Thread-safety: as RemoteStore says.
#ifndef TRIMS_SOURCE_HTTP_STORE_H_
#define TRIMS_SOURCE_HTTP_STORE_H_

#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "source/remote_store.h"
#include "source/small_exchange.h"
#include "source/source_uri.h"

namespace trims {

class HttpStore final : public RemoteStore {
 public:
  // `uri` is of Scheme::kHttp or kHttps.
  HttpStore(const SourceUri& uri, SmallExchange exchange)
      : url_(uri.ToString()), path_(uri.path), exchange_(std::move(exchange)) {}

  // Also UNIMPLEMENTED: the server doesn't say how long the file is.
  Result<std::vector<RemoteFile>> List() override;
  Result<RemoteRequest> RequestFor(const RemoteFile& file) override;
  void Refused() override {}  // there are no credentials

 private:
  const std::string url_;
  const std::string path_;
  const SmallExchange exchange_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_HTTP_STORE_H_
