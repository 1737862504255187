#include "support/http_origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace trims::test {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

OriginRequest Parse(const std::string& head) {
  OriginRequest request;
  size_t at = head.find("\r\n");
  const std::string line = head.substr(0, at);
  const size_t space = line.find(' ');
  request.method = line.substr(0, space);
  request.target = line.substr(space + 1, line.rfind(' ') - space - 1);
  while (at != std::string::npos) {
    const size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string header = head.substr(begin, at == std::string::npos ? at : at - begin);
    const size_t colon = header.find(':');
    if (colon != std::string::npos) {
      request.headers[Lower(header.substr(0, colon))] = Trimmed(header.substr(colon + 1));
    }
  }
  return request;
}

bool SendAll(int socket, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(socket, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

// The next close sends a reset, not an end.
void Reset(int socket) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

OriginReply ServeObject(const OriginRequest& request, const std::string& object,
                        const std::string& etag) {
  OriginReply reply{.headers = {"ETag: " + etag, "Accept-Ranges: bytes"}};
  const std::string match = request.Header("if-match");
  if (!match.empty() && match != etag) return {.status = 412, .headers = reply.headers};
  const std::string range = request.Header("range");
  if (range.empty()) {
    reply.body = object;
    return reply;
  }
  char* rest = nullptr;
  const size_t first = std::strtoull(range.c_str() + std::string("bytes=").size(), &rest, 10);
  if (first >= object.size()) return {.status = 416};
  const size_t asked =
      *rest == '-' && rest[1] != '\0' ? std::strtoull(rest + 1, nullptr, 10) : object.size();
  const size_t last = std::min(asked, object.size() - 1);
  reply.status = 206;
  reply.body = object.substr(first, last - first + 1);
  reply.headers.push_back("Content-Range: bytes " + std::to_string(first) + "-" +
                          std::to_string(last) + "/" + std::to_string(object.size()));
  return reply;
}

HttpOrigin::HttpOrigin(Script script, Cut cut)
    : script_(std::move(script)),
      cut_(std::move(cut)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      ended_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), any, length) != 0 || ::listen(listener_.get(), 64) != 0) std::abort();
  ::getsockname(listener_.get(), any, &length);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

HttpOrigin::~HttpOrigin() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  const uint64_t one = 1;
  (void)!::write(ended_.get(), &one, sizeof one);
  ::shutdown(listener_.get(), SHUT_RDWR);
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
}

std::vector<OriginRequest> HttpOrigin::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

void HttpOrigin::Accept() {
  for (;;) {
    const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ending_) {
      ::close(socket);
      return;
    }
    sockets_.insert(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void HttpOrigin::Serve(int socket) {
  std::string unread;
  while (ServeOne(socket, &unread)) {
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  sockets_.erase(socket);
  ::close(socket);
}

// False: the connection is over.
bool HttpOrigin::ServeOne(int socket, std::string* unread) {
  const auto more = [&] {
    char buffer[16384];
    const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
    if (got > 0) unread->append(buffer, static_cast<size_t>(got));
    return got > 0;
  };
  size_t end = 0;
  while ((end = unread->find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return false;
  }
  OriginRequest request = Parse(unread->substr(0, end));
  unread->erase(0, end + 4);
  const size_t length = std::strtoull(request.Header("content-length").c_str(), nullptr, 10);
  if (request.Header("expect") == "100-continue")
    SendAll(socket, "HTTP/1.1 100 Continue\r\n\r\n", 25);
  const int64_t cut = cut_ ? cut_(request) : -1;
  const size_t wanted = cut < 0 ? length : std::min(length, static_cast<size_t>(cut));
  while (unread->size() < wanted) {
    if (!more()) return false;
  }
  if (cut >= 0) {
    Reset(socket);
    return false;
  }
  request.body = unread->substr(0, length);
  unread->erase(0, length);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    request.number = static_cast<int>(requests_.size());
    requests_.push_back(request);
  }
  return Send(socket, request, script_(request));
}

// Until the origin ends or nobody listens any more.
bool HttpOrigin::Drip(int socket, const OriginReply& reply) {
  for (const char& byte : reply.body) {
    pollfd ends[] = {{ended_.get(), POLLIN, 0}, {socket, POLLRDHUP, 0}};
    if (::poll(ends, 2, reply.drip_ms) != 0 || !SendAll(socket, &byte, 1)) return false;
  }
  return true;
}

bool HttpOrigin::Send(int socket, const OriginRequest& request, const OriginReply& reply) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
  for (const std::string& header : reply.headers) head += header + "\r\n";
  if (!reply.own_length && !reply.endless) {
    head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  }
  head += "\r\n";
  if (!SendAll(socket, head.data(), head.size())) return false;
  if (request.method == "HEAD") return true;
  if (reply.drip_ms > 0) return Drip(socket, reply);
  if (reply.endless) {
    while (SendAll(socket, reply.body.data(), reply.body.size())) {
    }
    return false;
  }
  const int64_t cut = std::max({reply.reset_after, reply.stall_after, reply.close_after});
  const size_t length =
      cut < 0 ? reply.body.size() : std::min<size_t>(reply.body.size(), static_cast<size_t>(cut));
  if (!SendAll(socket, reply.body.data(), length)) return false;
  if (cut < 0) return true;
  if (reply.stall_after >= 0) {
    pollfd ends[] = {{ended_.get(), POLLIN, 0}, {socket, POLLRDHUP, 0}};
    ::poll(ends, 2, -1);
  }
  if (reply.reset_after >= 0) Reset(socket);
  return false;
}

}  // namespace trims::test
