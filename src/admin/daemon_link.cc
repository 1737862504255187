#include "admin/daemon_link.h"

#include <optional>
#include <utility>

#include "base/macros.h"

namespace trims::admin {
namespace {

class RealDaemonLink final : public DaemonLink {
 public:
  explicit RealDaemonLink(const DaemonLinkOptions& options)
      : options_{.socket_path = options.socket_path,
                 .client_name = "trims-http",
                 .document_timeout = options.patience} {}

  Result<std::string> GetStatus() override {
    return Ask([](Admin& admin) { return admin.GetStatus(); });
  }
  Result<std::string> List() override {
    return Ask([](Admin& admin) { return admin.List(); });
  }
  Result<std::string> Show(const std::string& reference) override {
    return Ask([&](Admin& admin) { return admin.Show(reference); });
  }
  Result<std::string> Remove(const std::string& reference) override {
    return Ask([&](Admin& admin) { return admin.Remove(reference); });
  }
  Result<std::string> Policy(const PolicyOptions& options) override {
    return Ask([&](Admin& admin) { return admin.Policy(options); });
  }
  Result<std::string> Events(const EventsOptions& options) override {
    return Ask([&](Admin& admin) { return admin.Events(options); });
  }
  Result<std::string> Explain(const std::string& reference,
                              const ResidentOptions& options) override {
    return Ask([&](Admin& admin) { return admin.Explain(reference, options); });
  }
  Result<std::string> Evict(const std::string& reference, const ResidentOptions& options) override {
    return Ask([&](Admin& admin) { return admin.Evict(reference, options); });
  }
  // A connection of its own, whose end is the lease's.
  Status Load(const std::string& reference, const OpenOptions& options) override {
    TRIMS_ASSIGN_OR_RETURN(Client client, Client::Connect(options_));
    return client.Open(reference, options).status();
  }

 private:
  template <typename Call>
  Result<std::string> Ask(Call call) {
    if (!admin_) {
      TRIMS_ASSIGN_OR_RETURN(admin_, Admin::Connect(options_));
    }
    return call(*admin_);
  }

  const ClientOptions options_;
  std::optional<Admin> admin_;  // once there was a daemon; it finds the next one itself
};

}  // namespace

std::unique_ptr<DaemonLink> MakeDaemonLink(const DaemonLinkOptions& options) {
  return std::make_unique<RealDaemonLink>(options);
}

}  // namespace trims::admin
