// Client::Impl: one request at a time over a connection that is made anew when it was lost.
//
// Thread-safety: safe; the lock is held from a request to its reply, so calls wait for each other.
#ifndef TRIMS_CLIENT_CLIENT_IMPL_H_
#define TRIMS_CLIENT_CLIENT_IMPL_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "trims/admin.h"
#include "trims/client.h"

#include "base/mutex.h"
#include "client/connection.h"
#include "client/open_trace.h"
#include "wire/reply.h"
#include "wire/request.h"

namespace trims {

class Client::Impl {
 public:
  explicit Impl(const ClientOptions& options);

  // Makes the first connection. Sends nothing.
  Status Connect() TRIMS_EXCLUDES(mutex_);

  Result<Model> Open(std::string_view reference, const OpenOptions& options) TRIMS_EXCLUDES(mutex_);

  struct Terms {
    std::chrono::milliseconds patience;
    bool repeatable = true;  // whether sending it twice is as good as once
    size_t max_fds = 0;
    std::function<bool(const wire::ProgressReply&)> on_progress;  // false: CANCELLED
  };
  std::chrono::milliseconds document_timeout() const { return document_timeout_; }
  // The document that answers `body`.
  Result<std::string> AskForDocument(const wire::RequestBody& body, Terms terms)
      TRIMS_EXCLUDES(mutex_);

 private:
  // A reply that is no progress, with the frame that it views and the connection it came by.
  struct Received {
    wire::Frame frame;
    wire::Reply reply;
    std::shared_ptr<client::Connection> connection;
  };

  Status Ask(const wire::RequestBody& body, const Terms& terms, Received* received)
      TRIMS_REQUIRES(mutex_);
  Status AskOnce(const wire::RequestBody& body, const Terms& terms, Received* received, bool* sent)
      TRIMS_REQUIRES(mutex_);
  // Whether to wait on.
  bool Tell(const wire::ProgressReply& progress, const Terms& terms) TRIMS_REQUIRES(mutex_);
  Status CheckMayWait() const;
  Status AwaitReply(uint64_t id, const Terms& terms, Received* received) TRIMS_REQUIRES(mutex_);
  void GiveUp(uint64_t id, client::Connection* connection) TRIMS_REQUIRES(mutex_);
  Result<std::shared_ptr<client::Connection>> UsableConnection() TRIMS_REQUIRES(mutex_);
  Result<std::shared_ptr<client::Connection>> MakeConnection() const;
  Result<Model> OpenTraced(std::string_view reference, const OpenOptions& options,
                           client::OpenTrace* trace) TRIMS_EXCLUDES(mutex_);

  const std::string socket_path_;
  const std::string name_;
  const std::string traceparent_;  // of the environment; empty: none
  const std::chrono::milliseconds document_timeout_;
  // Whose callback is running, and so holds the lock.
  std::atomic<std::thread::id> telling_{};
  Mutex mutex_;
  std::shared_ptr<client::Connection> connection_ TRIMS_GUARDED_BY(mutex_);
  wire::RequestEncoder encoder_ TRIMS_GUARDED_BY(mutex_);
  uint64_t last_id_ TRIMS_GUARDED_BY(mutex_) = 0;
};

}  // namespace trims

#endif  // TRIMS_CLIENT_CLIENT_IMPL_H_
