// HttpRequestOf: what a store says of a request, as transfer/ asks it. Secrets are taken out of their
// wrapping here and nowhere else.
//
// Thread-safety: pure functions.
#ifndef TRIMS_SOURCE_HTTP_REQUEST_OF_H_
#define TRIMS_SOURCE_HTTP_REQUEST_OF_H_

#include "source/remote_store.h"
#include "source/small_exchange.h"
#include "transfer/http.h"

namespace trims {

HttpRequest HttpRequestOf(RemoteRequest request);
HttpRequest HttpRequestOf(const SmallRequest& request);

}  // namespace trims

#endif  // TRIMS_SOURCE_HTTP_REQUEST_OF_H_
