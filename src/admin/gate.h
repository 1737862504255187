// Gate: who may ask at all, decided before a route is looked for.
//
//   const Gate gate({.token = token, .hosts = {"gpu-7.example:9090"}});
//   if (std::optional<HttpResponse> refused = gate.Refuse(request)) return *refused;
//
// A page of another site that a browser shows can send requests here, and with a name that it points at this machine (DNS
// rebinding) even read the answers. So the Host must be one that this server is known by, an Origin must be this server's own, and what
// changes something is asked with a type that no form can send. The token protects TCP; a Unix socket's mode protects that one.
// Thread-safety: constant.
#ifndef TRIMS_ADMIN_GATE_H_
#define TRIMS_ADMIN_GATE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/message.h"
#include "admin/token.h"

namespace trims::admin {

struct GateOptions {
  std::optional<Token> token;  // nothing: whoever can connect may ask
  std::vector<std::string>
      hosts;  // with or without a port, beside localhost, 127.0.0.1 and [::1] with any port
  bool read_only = false;  // refuses what changes something
};

class Gate {
 public:
  explicit Gate(GateOptions options) : options_(std::move(options)) {}

  // The answer for who may not pass, of a request whose body has not been read yet. The dashboard's own files are served to anybody: they hold nothing.
  std::optional<HttpResponse> Refuse(const HttpRequest& request) const;
  // Whether it has the token, where one is asked for.
  bool Knows(const HttpRequest& request) const;

 private:
  bool KnowsHost(std::string_view host) const;

  const GateOptions options_;
};

// The same once the body is there: one that is no JSON, which a form of another site can send.
std::optional<HttpResponse> RefuseBody(const HttpRequest& request);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_GATE_H_
