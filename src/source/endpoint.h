// Endpoint: where a service is, as a setting names it: "https://host[:port][/path]".
//
//   TRIMS_ASSIGN_OR_RETURN(const Endpoint hub, ParseEndpoint("https://mirror.example/hub/", "HF_ENDPOINT"));
//   hub.ToString();  // "https://mirror.example/hub"
//
// Thread-safety: values and pure functions.
#ifndef TRIMS_SOURCE_ENDPOINT_H_
#define TRIMS_SOURCE_ENDPOINT_H_

#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

struct Endpoint {
  std::string ToString() const { return (tls ? "https://" : "http://") + authority + path; }
  // Without the port; of an IPv6 address, without its brackets.
  std::string_view host() const;

  bool tls = true;
  std::string authority;  // "host" or "host:port", in lower case
  std::string path;       // empty, or from its first slash on, without one at the end
};

// INVALID_ARGUMENT, naming `setting`: no such URL, or one with a user, a password or a query.
Result<Endpoint> ParseEndpoint(std::string_view url, const std::string& setting);

// Whether `host` is this machine: localhost, 127.0.0.0/8 or ::1.
bool IsLoopback(std::string_view host);

}  // namespace trims

#endif  // TRIMS_SOURCE_ENDPOINT_H_
