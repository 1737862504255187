// HttpRequestOf, HttpObjectOf: what a store says of a request, as transfer/ asks it. Secrets are taken out of their
// wrapping here and nowhere else.
//
// Thread-safety: pure functions, but HttpObjectOf(), which may wait for a network.
#ifndef TRIMS_SOURCE_HTTP_REQUEST_OF_H_
#define TRIMS_SOURCE_HTTP_REQUEST_OF_H_

#include <memory>

#include "trims/status.h"

#include "source/remote_store.h"
#include "source/small_exchange.h"
#include "transfer/http.h"
#include "transfer/range_transfer.h"

namespace trims {

HttpRequest HttpRequestOf(RemoteRequest request);
HttpRequest HttpRequestOf(const SmallRequest& request);

// The file as an object whose ranges can be fetched, with credentials that are good now.
Result<std::shared_ptr<const HttpObject>> HttpObjectOf(RemoteStore* store, const RemoteFile& file);

// Credentials may end while a large file is fetched, but not again and again.
inline constexpr int kMaxRefusals = 3;

}  // namespace trims

#endif  // TRIMS_SOURCE_HTTP_REQUEST_OF_H_
