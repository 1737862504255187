// Pusher: writes prepared models where other nodes take them from: into folders (pushed_folder.h) and into
// buckets (push_to_bucket.h), one after the other.
//
// Thread-safety: loop only. Destroyed, it calls nobody back, and what it writes is given up.
#ifndef TRIMS_INGEST_PUSHER_H_
#define TRIMS_INGEST_PUSHER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "base/cancel_token.h"
#include "ingest/ingest_dependencies.h"
#include "ingest/push_calls.h"
#include "loop/while_alive.h"
#include "wire/principal.h"

namespace trims {

struct PushedModel {
  std::string reference;    // "namespace/name:version"
  std::string destination;  // a URL
  std::vector<Variant> variants;
  uint64_t bytes = 0;
};

using PushCallback = std::function<void(Result<PushedModel>)>;

class Pusher {
 public:
  explicit Pusher(const IngestDependencies& dependencies) : dependencies_(dependencies) {}
  ~Pusher() { cancel_->Cancel(); }

  // Contract of Manager::Push.
  void Push(const wire::Principal& principal, const std::string& reference,
            const std::string& destination, Preparer::Progress progress, PushCallback done);

  size_t in_flight() const { return in_flight_; }

 private:
  struct Job;  // what is written, and where

  Status CheckCanPush(const wire::Principal& principal) const;
  Result<Job> MakeJob(const std::string& reference, const std::string& destination) const;
  PushCalls CallsOf(Preparer::Progress progress);
  static Result<uint64_t> Write(const Job& job, const PushCalls& calls);

  const IngestDependencies dependencies_;
  // The worker may look at it when this is gone.
  const std::shared_ptr<CancelToken> cancel_ = std::make_shared<CancelToken>();
  size_t in_flight_ = 0;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_INGEST_PUSHER_H_
