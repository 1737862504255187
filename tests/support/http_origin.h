// HttpOrigin: an HTTP/1.1 server of the tests' own, on loopback, which answers as a script says: well, or
// with one of the faults that networks and servers have.
//
//   HttpOrigin origin([](const OriginRequest& request) { return ServeObject(request, "bytes", "\"v1\""); });
//   fetch(origin.url() + "/w.bin");
//   origin.requests();  // what was asked, in the order in which it came
#ifndef TRIMS_TESTS_SUPPORT_HTTP_ORIGIN_H_
#define TRIMS_TESTS_SUPPORT_HTTP_ORIGIN_H_

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace trims::test {

struct OriginRequest {
  std::string method;
  std::string target;                          // path and query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  int number = 0;  // of all requests, from 0 on

  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct OriginReply {
  int status = 200;
  std::vector<std::string> headers = {};  // "Name: value"
  std::string body = {};
  bool own_length = false;   // a Content-Length stands among the headers
  int64_t reset_after = -1;  // bytes of the body, then the connection is reset
  int64_t stall_after = -1;  // bytes of the body, then nothing until the origin ends
  int64_t close_after = -1;  // bytes of the body, then the connection is closed
  int drip_ms = 0;           // so long before each byte of the body; 0: all at once
  bool endless = false;      // the body again and again, without a length
};

// A GET or HEAD of an object as good servers answer it: ranges, If-Match.
OriginReply ServeObject(const OriginRequest& request, const std::string& object,
                        const std::string& etag);

class HttpOrigin {
 public:
  using Script = std::function<OriginReply(const OriginRequest&)>;  // on any of its threads

  // How many bytes of a request's body are read before the connection is reset; -1: all, and it isn't.
  // Asked with the head alone, and a request that is cut off is not counted.
  using Cut = std::function<int64_t(const OriginRequest&)>;

  explicit HttpOrigin(Script script, Cut cut = {});
  ~HttpOrigin();
  HttpOrigin(const HttpOrigin&) = delete;
  HttpOrigin& operator=(const HttpOrigin&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  std::vector<OriginRequest> requests() const;

 private:
  void Accept();
  void Serve(int socket);
  bool ServeOne(int socket, std::string* unread);
  bool Drip(int socket, const OriginReply& reply);
  bool Send(int socket, const OriginRequest& request, const OriginReply& reply);

  const Script script_;
  const Cut cut_;
  UniqueFd listener_;
  int port_ = 0;
  UniqueFd ended_;  // an eventfd that is readable once it ends
  mutable std::mutex mutex_;
  std::vector<OriginRequest> requests_;
  std::set<int> sockets_;
  bool ending_ = false;
  std::list<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_HTTP_ORIGIN_H_
