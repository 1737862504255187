// RawClient: the client's end of a connection, frame by frame, so that a test can send what
// libtrims never would. Every wait ends with a reply, the end of the connection, or a failed test
// after 30 s. Thread-safety: none.
#ifndef TRIMS_TESTS_SERVER_RAW_CLIENT_H_
#define TRIMS_TESTS_SERVER_RAW_CLIENT_H_

#include <span>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "wire/channel.h"
#include "wire/reply.h"
#include "wire/request.h"

namespace trims::test {

class RawClient {
 public:
  explicit RawClient(const std::string& path);

  Status Send(const wire::RequestBody& body, uint64_t id = 1);
  Status SendBytes(std::span<const std::byte> bytes, std::span<const int> fds = {});
  // The next reply that is not a mere WaitingReply. Its views end with the next call.
  Result<const wire::Reply*> Receive();

  // Send and Receive; the status of the reply if it is an error.
  Result<const wire::Reply*> Ask(const wire::RequestBody& body, uint64_t id = 1);
  Result<uint64_t> OpenLease(std::string_view reference);  // the lease's id
  Result<std::string> Document(const wire::RequestBody& body);

  // Waits for the end of the connection, taking replies on the way: whether it came.
  bool WaitForEnd();

  // What Receive() gave last.
  const wire::Reply& last() const { return reply_; }
  // Of the WaitingReply that came before the last one; 0: none.
  uint32_t told_deadline_ms() const { return told_deadline_ms_; }

  int socket() const { return socket_.get(); }
  const std::vector<UniqueFd>& fds() const { return frame_.fds; }
  void Disconnect() { socket_.reset(); }

 private:
  UniqueFd socket_;
  wire::RequestEncoder encoder_;
  wire::Frame frame_;
  wire::Reply reply_;
  uint32_t told_deadline_ms_ = 0;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SERVER_RAW_CLIENT_H_
