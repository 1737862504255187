// FakeDaemon: the daemon's end of the wire in a thread, doing for each request what a test says.
//
//     FakeDaemon daemon([](const wire::Request& request, FakeDaemon::Peer& peer) {
//       peer.Error(request.id, Status(StatusCode::kNotFound, "no model"));
//     });
//     Result<Client> client = Client::Connect({.socket_path = daemon.path()});
//
// System calls of its threads are exempt from fault plans: those are for the client.
#ifndef TRIMS_TESTS_CLIENT_FAKE_DAEMON_H_
#define TRIMS_TESTS_CLIENT_FAKE_DAEMON_H_

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/mutex.h"
#include "base/sys.h"
#include "support/scratch_folder.h"
#include "wire/channel.h"
#include "wire/reply.h"
#include "wire/request.h"

namespace trims::test {

inline UniqueFd Sealed(std::span<const std::byte> bytes) {
  UniqueFd fd(::memfd_create("fake", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    std::abort();
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

inline std::vector<std::byte> ToBytes(std::string_view text) {
  const auto* start = reinterpret_cast<const std::byte*>(text.data());
  return {start, start + text.size()};
}

class FakeDaemon {
 public:
  // One connection, as a handler sees it.
  class Peer {
   public:
    explicit Peer(UniqueFd socket) : socket_(std::move(socket)) {}

    void Send(std::span<const std::byte> bytes, const std::vector<int>& fds = {}) {
      (void)wire::SendFrame(socket_.get(), bytes, fds);
    }
    void Error(uint64_t id, const Status& status) { Send(encoder.Error(id, status)); }
    void Document(uint64_t id, std::string_view text) {
      const UniqueFd fd = Sealed(ToBytes(text));
      Send(encoder.Document(id, {.length = text.size()}), {fd.get()});
    }
    void HangUp() { open = false; }

    wire::ReplyEncoder encoder;
    bool open = true;

   private:
    friend class FakeDaemon;
    UniqueFd socket_;
  };
  using Handler = std::function<void(const wire::Request&, Peer&)>;

  explicit FakeDaemon(Handler handler) : handler_(std::move(handler)) { Start(); }
  ~FakeDaemon() { Stop(); }

  std::string path() const { return folder_ / "trimsd.sock"; }
  const ScratchFolder& folder() const { return folder_; }

  // Drops every connection and listens anew, as a restart does.
  void Restart() {
    Stop();
    Start();
  }

  int connections() const { return connections_; }
  std::vector<uint64_t> closed_leases() {
    MutexLock lock(mutex_);
    return closed_leases_;
  }
  // Until the client has dropped all of its connections but `count`.
  void AwaitOpenConnections(size_t count) {
    MutexLock lock(mutex_);
    while (open_connections_ != count) changed_.Wait(mutex_);
  }
  // The ids of the requests that were given up, once there are so many.
  std::vector<uint64_t> AwaitCancels(size_t count) {
    MutexLock lock(mutex_);
    while (cancelled_.size() < count) changed_.Wait(mutex_);
    return cancelled_;
  }
  // Until `count` leases were closed.
  void AwaitCloses(size_t count) {
    MutexLock lock(mutex_);
    while (closed_leases_.size() < count) changed_.Wait(mutex_);
  }

 private:
  void Start() {
    wakeup_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
    Result<UniqueFd> listener = wire::ListenOn(path(), 0600, 16);
    if (!listener.ok()) std::abort();
    listener_ = *std::move(listener);
    thread_ = std::thread([this] { Serve(); });
  }

  void Stop() {
    const uint64_t one = 1;
    if (::write(wakeup_.get(), &one, sizeof(one)) != sizeof(one)) std::abort();
    thread_.join();
    listener_.reset();
    wakeup_.reset();
  }

  void Serve() {
    const fault::ScopedExemption exempt;
    std::vector<Peer> peers;
    for (;;) {
      std::vector<pollfd> events = {{wakeup_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      for (const Peer& peer : peers) events.push_back({peer.socket_.get(), POLLIN, 0});
      if (::poll(events.data(), events.size(), -1) < 0) continue;
      if (events[0].revents != 0) return;
      for (size_t i = 0; i < peers.size(); ++i) {
        if (events[i + 2].revents != 0) ServeOne(peers[i]);
      }
      std::erase_if(peers, [](const Peer& peer) { return !peer.open; });
      if (events[1].revents != 0) {
        ++connections_;
        peers.emplace_back(UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
      }
      TellOpenConnections(peers.size());
    }
  }

  void TellOpenConnections(size_t count) {
    MutexLock lock(mutex_);
    open_connections_ = count;
    changed_.NotifyAll();
  }

  void ServeOne(Peer& peer) {
    wire::Frame frame;
    wire::Request request;
    if (!wire::ReceiveFrame(peer.socket_.get(), 0, &frame).ok()) return peer.HangUp();
    if (const Status status = wire::DecodeRequest(frame.bytes, &request); !status.ok())
      return peer.Error(request.id, status);
    if (const auto* close = std::get_if<wire::CloseRequest>(&request.body)) {
      MutexLock lock(mutex_);
      closed_leases_.push_back(close->lease);
      changed_.NotifyAll();
      return;
    }
    if (const auto* cancel = std::get_if<wire::CancelRequest>(&request.body)) {
      MutexLock lock(mutex_);
      cancelled_.push_back(cancel->request);
      changed_.NotifyAll();
      return;
    }
    handler_(request, peer);
  }

  const Handler handler_;
  const ScratchFolder folder_;
  UniqueFd wakeup_;
  UniqueFd listener_;
  std::thread thread_;
  std::atomic<int> connections_{0};
  Mutex mutex_;
  CondVar changed_;
  size_t open_connections_ TRIMS_GUARDED_BY(mutex_) = 0;
  std::vector<uint64_t> closed_leases_ TRIMS_GUARDED_BY(mutex_);
  std::vector<uint64_t> cancelled_ TRIMS_GUARDED_BY(mutex_);
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_CLIENT_FAKE_DAEMON_H_
