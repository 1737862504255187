#include "source/connections.h"

#include <chrono>

#include "source/http_exchange.h"

namespace trims {

Connections::Connections(const RemoteStoreOptions& options)
    : client_(options.patience),
      metadata_client_({.attempts = 1, .connect = std::chrono::seconds(1)}),
      credentials_(options.environment, ExchangeOver(&metadata_client_)) {
  if (options.cancel == nullptr) return;
  watch_.emplace(options.cancel, [this] {
    client_.Cancel();
    metadata_client_.Cancel();
  });
}

SmallExchange Connections::exchange() { return ExchangeOver(&client_); }

}  // namespace trims
