// bench_bare_server: the reference for opens. A single-threaded epoll loop that answers every frame
// with descriptors (bare/protocol.h) and does nothing else.
//
//   bench_bare_server SOCKET INDEX_BYTES EXTENT_BYTES
//
// Its memfds are made as the daemon makes its own, so that both hand out the same kind of pages.
// Writes "ready" once it listens; ends with SIGTERM, or when its standard input ends.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "bare/protocol.h"
#include "base/errno_status.h"
#include "base/macros.h"
#include "base/unique_fd.h"
#include "store/host_memory.h"

namespace trims::bench {
namespace {

struct Pool {
  std::vector<SealedExtent> extents;
  std::array<int, kMaxBareDescriptors> descriptors{};  // the index, then extents in turn
};

Status AddExtent(uint64_t bytes, HugePagePolicy policy, Pool* pool) {
  TRIMS_ASSIGN_OR_RETURN(ExtentWriter writer, ExtentWriter::Create("bare", bytes, policy));
  std::memset(writer.data(), 1, bytes);
  TRIMS_ASSIGN_OR_RETURN(SealedExtent extent, std::move(writer).Seal());
  pool->extents.push_back(std::move(extent));
  return {};
}

Result<Pool> MakePool(uint64_t index_bytes, uint64_t extent_bytes) {
  Pool pool;
  TRIMS_RETURN_IF_ERROR(AddExtent(index_bytes, HugePagePolicy::kSmall, &pool));
  TRIMS_RETURN_IF_ERROR(AddExtent(extent_bytes, HugePagePolicy::kBest, &pool));
  pool.descriptors.fill(pool.extents[1].read_only_fd());
  pool.descriptors[0] = pool.extents[0].read_only_fd();
  return pool;
}

Result<UniqueFd> Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Status(StatusCode::kInvalidArgument, "socket path too long: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return ErrnoStatus("socket");
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(socket.get(), 256) != 0) {
    return ErrnoStatus("listen on " + path);
  }
  return socket;
}

class Server {
 public:
  Server(UniqueFd listener, UniqueFd epoll, Pool pool)
      : listener_(std::move(listener)), epoll_(std::move(epoll)), pool_(std::move(pool)) {}

  Status Run() {
    TRIMS_RETURN_IF_ERROR(Watch(listener_.get()));
    TRIMS_RETURN_IF_ERROR(Watch(STDIN_FILENO));
    std::puts("ready");
    std::fflush(stdout);
    std::array<epoll_event, 64> events;
    while (true) {
      const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
      if (ready < 0 && errno != EINTR) return ErrnoStatus("epoll_wait");
      for (int i = 0; i < ready; ++i) {
        if (events[i].data.fd == STDIN_FILENO) return {};
        Serve(events[i].data.fd);
      }
    }
  }

 private:
  Status Watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return ErrnoStatus("epoll_ctl");
    return {};
  }

  void Serve(int fd) {
    if (fd == listener_.get()) {
      UniqueFd peer(accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!peer || !Watch(peer.get()).ok()) return;
      const int key = peer.get();
      peers_[key] = std::move(peer);
    } else if (!Answer(fd)) {
      peers_.erase(fd);
    }
  }

  // False: the peer is gone or broke the protocol.
  bool Answer(int fd) {
    const ssize_t got = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (got < static_cast<ssize_t>(sizeof(BareRequest))) return got < 0 && errno == EAGAIN;
    BareRequest request;
    std::memcpy(&request, buffer_.data(), sizeof(request));
    if (request.descriptors > kMaxBareDescriptors || request.reply_bytes > kMaxBareFrame)
      return false;
    return Reply(fd, request);
  }

  bool Reply(int fd, const BareRequest& request) {
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxBareDescriptors * sizeof(int))];
    iovec bytes{zeros_.data(), request.reply_bytes};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (request.descriptors > 0) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(request.descriptors * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(request.descriptors * sizeof(int));
      std::memcpy(CMSG_DATA(header), pool_.descriptors.data(), request.descriptors * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) >= 0;
  }

  UniqueFd listener_;
  UniqueFd epoll_;
  Pool pool_;
  std::map<int, UniqueFd> peers_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kMaxBareFrame);
  std::vector<std::byte> zeros_ = std::vector<std::byte>(kMaxBareFrame);
};

Status Main(std::span<char*> arguments) {
  if (arguments.size() != 4) {
    return Status(StatusCode::kInvalidArgument, "expected SOCKET INDEX_BYTES EXTENT_BYTES");
  }
  TRIMS_ASSIGN_OR_RETURN(Pool pool, MakePool(std::strtoull(arguments[2], nullptr, 10),
                                             std::strtoull(arguments[3], nullptr, 10)));
  TRIMS_ASSIGN_OR_RETURN(UniqueFd listener, Listen(arguments[1]));
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return ErrnoStatus("epoll_create1");
  return Server(std::move(listener), std::move(epoll), std::move(pool)).Run();
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const trims::Status status = trims::bench::Main({argv, static_cast<size_t>(argc)});
  if (!status.ok()) std::fprintf(stderr, "bench_bare_server: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
