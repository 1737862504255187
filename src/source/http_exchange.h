// ExchangeOver: a SmallExchange over HTTP, with its retries and limits (transfer/http_client.h).
//
//   HttpClient client(HttpPatience{});
//   S3Store store(uri, location, &credentials, ExchangeOver(&client));
//
// `client` outlives it. Thread-safety: as SmallExchange says.
#ifndef TRIMS_SOURCE_HTTP_EXCHANGE_H_
#define TRIMS_SOURCE_HTTP_EXCHANGE_H_

#include "source/small_exchange.h"
#include "transfer/http_client.h"

namespace trims {

SmallExchange ExchangeOver(HttpClient* client);

}  // namespace trims

#endif  // TRIMS_SOURCE_HTTP_EXCHANGE_H_
