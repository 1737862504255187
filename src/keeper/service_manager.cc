#include "keeper/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/pipe.h"
#include "base/program.h"
#include "keeper/keeper_protocol.h"
#include "wire/channel.h"
#include "wire/fixed_message.h"

namespace trims {
namespace {

constexpr int kFirstPassed = 3;  // SD_LISTEN_FDS_START
constexpr int kPatienceMs = 5000;

std::string TakeVariable(const char* name) {
  std::string value = EnvironmentVariable(name);
  ::unsetenv(name);
  return value;
}

int NumberIn(const std::string& text) {
  int number = -1;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end ? number : -1;
}

// "a:b:c"; what is not named is "".
std::string NthName(const std::string& names, int nth) {
  size_t begin = 0;
  for (; nth > 0; --nth) {
    const size_t colon = names.find(':', begin);
    if (colon == std::string::npos) return "";
    begin = colon + 1;
  }
  return names.substr(begin, names.find(':', begin) - begin);
}

std::vector<KeptDescriptors> TakePassed() {
  const int pid = NumberIn(TakeVariable("LISTEN_PID"));
  const int count = NumberIn(TakeVariable("LISTEN_FDS"));
  const std::string names = TakeVariable("LISTEN_FDNAMES");
  std::map<std::string, std::vector<UniqueFd>> by_label;
  for (int i = 0; pid == ::getpid() && i < count; ++i) {
    UniqueFd fd(kFirstPassed + i);
    if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
      static_cast<void>(fd.release());  // there is none
      continue;
    }
    const std::string name = NthName(names, i);
    if (CheckLabel(name).ok()) by_label[name].push_back(std::move(fd));
  }
  std::vector<KeptDescriptors> passed;
  for (auto& [label, fds] : by_label) passed.push_back({.label = label, .fds = std::move(fds)});
  return passed;
}

class ServiceManagerKeeper final : public DescriptorKeeper {
 public:
  explicit ServiceManagerKeeper(ServiceManager* manager) : manager_(*manager) {}

  std::string_view name() const override { return "systemd"; }
  Result<std::vector<KeptDescriptors>> TakeHeld() override { return manager_.TakeHanded(); }

  Status Keep(const std::string& label, std::span<const int> fds) override {
    return manager_.Tell("FDSTORE=1\nFDNAME=" + label, fds);
  }
  Status Drop(const std::string& label) override {
    TRIMS_RETURN_IF_ERROR(manager_.Tell("FDSTOREREMOVE=1\nFDNAME=" + label));
    return manager_.AwaitRead();
  }
  // It lets go itself of what a service that has ended for good had stored.
  Status End() override { return Status(); }

 private:
  ServiceManager& manager_;
};

}  // namespace

std::optional<ServiceManager> ServiceManager::FromEnvironment() {
  std::string address = TakeVariable("NOTIFY_SOCKET");
  if (address.size() < 2 || (address[0] != '/' && address[0] != '@')) return std::nullopt;
  ServiceManager manager(std::move(address));
  manager.handed_ = TakePassed();
  return manager;
}

Result<UniqueFd> ServiceManager::Connect() const {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (address_.size() >= sizeof(address.sun_path)) {
    return Status(StatusCode::kInvalidArgument,
                  "$NOTIFY_SOCKET is longer than the name of a socket: '" + address_ + "'");
  }
  std::memcpy(address.sun_path, address_.data(), address_.size());
  if (address_[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() +
                                             (address_[0] == '@' ? 0 : 1));
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return ErrnoStatus("making a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return ErrnoStatus("connecting to $NOTIFY_SOCKET, " + address_);
  return socket;
}

Status ServiceManager::Tell(std::string_view message, std::span<const int> fds) const {
  TRIMS_ASSIGN_OR_RETURN(const UniqueFd socket, Connect());
  return wire::SendFrame(socket.get(), std::as_bytes(std::span(message)), fds);
}

// It closes the pipe once it comes to the message.
Status ServiceManager::AwaitRead() const {
  TRIMS_ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
  const int end = pipe.write.get();
  TRIMS_RETURN_IF_ERROR(Tell("BARRIER=1", std::span<const int>(&end, 1)));
  pipe.write.reset();
  return wire::WaitReadable(pipe.read.get(), kPatienceMs);
}

std::unique_ptr<DescriptorKeeper> MakeServiceManagerKeeper(ServiceManager* manager) {
  return std::make_unique<ServiceManagerKeeper>(manager);
}

}  // namespace trims
