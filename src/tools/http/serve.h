// Serving: everything that runs while trims-http serves, put together and ended in order.
//
// Thread-safety: one thread makes and destroys it.
#ifndef TRIMS_TOOLS_HTTP_SERVE_H_
#define TRIMS_TOOLS_HTTP_SERVE_H_

#include <memory>
#include <optional>
#include <vector>

#include "trims/status.h"

#include "admin/gate.h"
#include "admin/http_server.h"
#include "admin/job_pool.h"
#include "admin/listen.h"
#include "tools/http/options.h"

namespace trims::http {

class Serving {
 public:
  static Result<std::unique_ptr<Serving>> Start(const HttpOptions& options);
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  explicit Serving(const HttpOptions& options) : options_(options) {}
  Status StartPools();
  Status ServeUnix();
  Status ServeTcp();
  Status Serve(UniqueFd socket, const admin::Gate* gate);

  const HttpOptions options_;
  std::unique_ptr<admin::JobPool> quick_;
  std::unique_ptr<admin::JobPool> slow_;
  std::unique_ptr<admin::JobPool> streams_;
  std::optional<admin::Gate> unix_gate_;
  std::optional<admin::Gate> tcp_gate_;
  std::optional<admin::UnixListener> unix_listener_;
  std::vector<std::unique_ptr<admin::HttpServer>> servers_;  // end first
};

}  // namespace trims::http

#endif  // TRIMS_TOOLS_HTTP_SERVE_H_
