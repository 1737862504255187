// OpenRemoteStore: the store that a URI of a network names, with what it needs: its credentials, its
// connections.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto opened, OpenRemoteStore(uri, {}));
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, opened->store().List());
//
// Thread-safety: as RemoteStore says.
#ifndef TRIMS_SOURCE_OPEN_REMOTE_STORE_H_
#define TRIMS_SOURCE_OPEN_REMOTE_STORE_H_

#include <stdlib.h>

#include <memory>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "source/hub_cache.h"
#include "source/remote_store.h"
#include "source/source_uri.h"
#include "transfer/http.h"

namespace trims {

struct RemoteStoreOptions {
  Environment environment = ::getenv;  // where settings and credentials come from
  HttpPatience patience = {};
  CancelToken* cancel = nullptr;  // outlives what is opened
};

class OpenedStore {
 public:
  virtual ~OpenedStore() = default;
  virtual RemoteStore& store() = 0;
};

// Asks nobody yet. INVALID_ARGUMENT: a setting that can't be one; UNAVAILABLE: told to stay offline.
Result<std::unique_ptr<OpenedStore>> OpenRemoteStore(const SourceUri& uri,
                                                     const RemoteStoreOptions& options);

}  // namespace trims

#endif  // TRIMS_SOURCE_OPEN_REMOTE_STORE_H_
