// Exchange: one request on its way through the server, from its headers to its answer.
//
// Thread-safety: the server's thread; while the connection is suspended, the job's that answers it.
#ifndef TRIMS_ADMIN_EXCHANGE_H_
#define TRIMS_ADMIN_EXCHANGE_H_

#include <microhttpd.h>

#include <cstddef>
#include <optional>
#include <string>

#include "admin/http_server.h"
#include "admin/message.h"

namespace trims::admin {

class Exchange {
 public:
  // Of a request whose headers have come. What is wrong with them is an answer at once.
  Exchange(MHD_Connection* connection, const char* target, const char* method,
           const HttpServerOptions& options);

  // False: so much comes, although it was told that it is too much, that the connection should end.
  bool TakeBody(const char* data, size_t size);

  const HttpRequest& request() const { return request_; }
  bool too_large() const { return body_bytes_ > limits_.body_bytes; }

  std::optional<HttpResponse> answer;
  bool asked = false;     // its route has been looked for
  bool is_known = false;  // it comes from somebody who may ask for all

 private:
  std::optional<HttpResponse> ReadHeaders(MHD_Connection* connection, const char* target);
  std::optional<HttpResponse> CheckLength(MHD_Connection* connection) const;

  const HttpLimits limits_;
  HttpRequest request_;
  size_t body_bytes_ = 0;
};

HttpResponse BodyTooLarge(size_t limit);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_EXCHANGE_H_
