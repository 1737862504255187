// ServiceManager: systemd, as far as a service asks it for something: to know that it serves, and to keep descriptors
// in its store across a restart (sd_notify(3), FileDescriptorStoreMax= in systemd.service(5)).
//
//   if (std::optional<ServiceManager> systemd = ServiceManager::FromEnvironment()) {
//     systemd->Tell("READY=1");
//     std::unique_ptr<DescriptorKeeper> keeper = MakeServiceManagerKeeper(&*systemd);
//   }
//
// The protocol is text in a datagram, so that nothing is linked for it. Thread-safety: none.
#ifndef TRIMS_KEEPER_SERVICE_MANAGER_H_
#define TRIMS_KEEPER_SERVICE_MANAGER_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "keeper/descriptor_keeper.h"

namespace trims {

class ServiceManager {
 public:
  // Nothing where $NOTIFY_SOCKET is not set. Takes the descriptors that were passed ($LISTEN_FDS), if they are this
  // process's, and takes the variables from the environment. Once, before other descriptors are opened, and before
  // there are threads.
  static std::optional<ServiceManager> FromEnvironment();

  // One message. UNAVAILABLE, NOT_FOUND: nobody is there.
  Status Tell(std::string_view message, std::span<const int> fds = {}) const;
  // Until it has read all that was told before. DEADLINE_EXCEEDED.
  Status AwaitRead() const;

  // By their names, as far as those are labels; the others are closed. Once.
  std::vector<KeptDescriptors> TakeHanded() { return std::move(handed_); }

 private:
  explicit ServiceManager(std::string address) : address_(std::move(address)) {}
  Result<UniqueFd> Connect() const;

  std::string address_;  // as $NOTIFY_SOCKET has it: '@' begins an abstract one
  std::vector<KeptDescriptors> handed_;
};

// The manager outlives it.
std::unique_ptr<DescriptorKeeper> MakeServiceManagerKeeper(ServiceManager* manager);

}  // namespace trims

#endif  // TRIMS_KEEPER_SERVICE_MANAGER_H_
