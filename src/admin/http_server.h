// HttpServer: HTTP over one listening socket, within limits. It and Exchange alone know the HTTP library, GNU libmicrohttpd.
//
//   TRIMS_ASSIGN_OR_RETURN(auto server, HttpServer::Start(std::move(listening), {.gate = &gate, .quick = …, .slow = …}));
//
// One thread reads requests and writes answers for all connections; what asks the daemon waits in a JobPool meanwhile, so neither
// a slow client nor a daemon that hangs keeps others from /healthz. What the library itself refuses (a request line or headers that
// are malformed or too long) it answers with a page of its own, not with JSON. Ownership: gate and pools outlive it.
// Thread-safety: made and destroyed by one thread.
#ifndef TRIMS_ADMIN_HTTP_SERVER_H_
#define TRIMS_ADMIN_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <memory>

#include "trims/status.h"

#include "admin/gate.h"
#include "admin/job_pool.h"
#include "base/unique_fd.h"

namespace trims::admin {

struct HttpLimits {
  size_t connections = 64;          // beyond these the slowest gives its place: see Crowd
  size_t header_bytes = 16 * 1024;  // of a request, with its target
  size_t body_bytes = 64 * 1024;
  size_t answer_bytes = 64 << 20;    // of all answers that their clients have not read; beyond: 503
  std::chrono::seconds silence{10};  // without a byte either way
};

struct HttpServerOptions {
  const Gate* gate = nullptr;
  JobPool* quick = nullptr;
  JobPool* slow = nullptr;
  JobPool* streams = nullptr;  // for answers that go on; as many as it has threads
  HttpLimits limits = {};
};

class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> Start(UniqueFd listening,
                                                   const HttpServerOptions& options);
  // Ends every connection. Waits for requests that are being answered.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_HTTP_SERVER_H_
