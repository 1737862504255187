// Connections: what a store on a network asks with: an HTTP client, and the credentials of AWS, which are looked
// for when they are first needed. All ends once its user cancels.
//
//   Connections connections({.cancel = &cancel});
//   HttpStore store(uri, connections.exchange());
//
// Thread-safety: safe.
#ifndef TRIMS_SOURCE_CONNECTIONS_H_
#define TRIMS_SOURCE_CONNECTIONS_H_

#include <optional>

#include "base/cancel_token.h"
#include "source/aws_credentials.h"
#include "source/open_remote_store.h"
#include "source/small_exchange.h"
#include "transfer/http_client.h"

namespace trims {

class Connections {
 public:
  explicit Connections(const RemoteStoreOptions& options);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Borrows it, as do the credentials.
  SmallExchange exchange();
  AwsCredentialSource* credentials() { return &credentials_; }

 private:
  HttpClient client_;
  HttpClient metadata_client_;  // of services that are there at once, or not at all
  AwsCredentialSource credentials_;
  std::optional<CancelToken::Watch> watch_;  // the first to go
};

}  // namespace trims

#endif  // TRIMS_SOURCE_CONNECTIONS_H_
