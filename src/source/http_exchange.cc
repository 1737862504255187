#include "source/http_exchange.h"

#include <utility>

#include "base/macros.h"
#include "source/http_request_of.h"

namespace trims {

SmallExchange ExchangeOver(HttpClient* client) {
  return [client](const SmallRequest& request) -> Result<SmallReply> {
    const HttpLimits limits{.max_body = request.max_bytes,
                            .timeout = request.timeout,
                            .overall = request.overall,
                            .through_proxy = request.through_proxy};
    TRIMS_ASSIGN_OR_RETURN(HttpResponse response, client->Ask(HttpRequestOf(request), limits));
    return SmallReply{.status = response.status,
                      .headers = std::move(response.headers),
                      .body = std::move(response.body)};
  };
}

}  // namespace trims
