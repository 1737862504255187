// DaemonLink: what the routes ask the daemon for, each call with a limit of time.
//
//   const std::unique_ptr<DaemonLink> link = MakeDaemonLink({.socket_path = "", .patience = 5s});
//   Result<std::string> status = link->GetStatus();      // UNAVAILABLE: it is away; DEADLINE_EXCEEDED: it hangs
//
// Over the public API alone, as any other program's. A daemon that was away is looked for anew at each call. Thread-safety: one
// thread; each has a link of its own.
#ifndef TRIMS_ADMIN_DAEMON_LINK_H_
#define TRIMS_ADMIN_DAEMON_LINK_H_

#include <chrono>
#include <memory>
#include <string>

#include "trims/admin.h"
#include "trims/client.h"
#include "trims/status.h"

namespace trims::admin {

class DaemonLink {
 public:
  virtual ~DaemonLink() = default;
  // Documents, as trims::Admin gives them.
  virtual Result<std::string> GetStatus() = 0;
  virtual Result<std::string> List() = 0;
  virtual Result<std::string> Show(const std::string& reference) = 0;
  virtual Result<std::string> Remove(const std::string& reference) = 0;
  virtual Result<std::string> Policy(const PolicyOptions& options) = 0;
  virtual Result<std::string> Events(const EventsOptions& options) = 0;
  virtual Result<std::string> Explain(const std::string& reference,
                                      const ResidentOptions& options) = 0;
  virtual Result<std::string> Evict(const std::string& reference,
                                    const ResidentOptions& options) = 0;
  // Opens the model and closes it: it is resident then, for as long as the tier keeps it.
  virtual Status Load(const std::string& reference, const OpenOptions& options) = 0;
};

struct DaemonLinkOptions {
  std::string socket_path;  // empty: as ClientOptions
  std::chrono::milliseconds patience{std::chrono::seconds(5)};
};

std::unique_ptr<DaemonLink> MakeDaemonLink(const DaemonLinkOptions& options);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_DAEMON_LINK_H_
