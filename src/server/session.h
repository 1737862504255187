// Session: one client's connection. It reads requests, has the Manager serve them, sends the
// replies and owns the leases.
//
// The connection's end, however it comes about, ends every lease and every waiting open of it. What
// a client does wrong costs that client its connection and nobody else anything: see ServerLimits.
// A reply's descriptors are the lease's own, neither duplicated nor copied.
//
//   auto session = std::make_shared<Session>(&context, id, std::move(socket), principal, tally);
//   TRIMS_RETURN_IF_ERROR(session->Start());
//
// Ownership: held by shared_ptr by the server, which lets go of it when SessionContext::on_end says
// so; calls on the stack hold it too. Thread-safety: loop only.
#ifndef TRIMS_SERVER_SESSION_H_
#define TRIMS_SERVER_SESSION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/clock.h"
#include "base/unique_fd.h"
#include "events/event_feed.h"
#include "loop/event_loop.h"
#include "manager/manager.h"
#include "server/document_budget.h"
#include "server/limits.h"
#include "server/open_latencies.h"
#include "server/outbox.h"
#include "server/server_snapshot.h"
#include "server/tally.h"
#include "wire/channel.h"
#include "wire/principal.h"
#include "wire/reply.h"
#include "wire/request.h"

namespace trims {

// What all sessions of a server share; it outlives them. The buffers are scratch: used within one
// call.
struct SessionContext {
  EventLoop* loop = nullptr;
  Manager* manager = nullptr;
  EventFeed* events = nullptr;  // the manager's
  const Clock* clock = nullptr;
  ServerLimits limits;
  std::function<ServerSnapshot()> snapshot;
  std::function<void(uint64_t session)> on_first_frame;
  std::function<void(uint64_t session)> on_end;
  FindHolders holders;
  std::function<bool()> may_log_violation;  // asked for each; the server tells how many were not

  ServerCounters counters;
  OpenLatencies open_latencies;
  DocumentBudget documents;
  size_t requests_in_flight = 0;
  wire::Frame frame;
  wire::Request request;
  wire::ReplyEncoder encoder;
  std::vector<int> fds;
  std::vector<wire::ExtentInfo> extents;
  std::vector<wire::RunInfo> runs;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `leases`: those of its user.
  Session(SessionContext* context, uint64_t id, UniqueFd socket, const wire::Principal& principal,
          std::shared_ptr<Tally> leases);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // RESOURCE_EXHAUSTED, which the client has been told: end it.
  Status Start();

  // Answers what waits with `why`, as far as the socket takes it, and ends.
  void Stop(const Status& why);
  void End();

  const wire::Principal& principal() const { return principal_; }
  size_t leases() const { return leases_.size(); }
  // The name that the client gives itself.
  const std::string& client() const { return client_; }
  // Of what has this key in this tier; with no key, of anything.
  uint64_t LeasesOf(std::string_view tier, std::string_view key) const;

 private:
  // A request that waits for its reply.
  struct Pending {
    uint64_t token;
    uint64_t id;
    std::optional<OpenWait> wait;          // of an open
    std::optional<EventWait> events = {};  // of one who listens
    bool tells_progress = false;           // of the load that it waits for
    std::string tier = {};                 // of an open: as it was asked for
    std::string reference = {};            // likewise
    Variant variant = Variant::kFiles;     // likewise
    TimePoint began = {};                  // likewise
    TimePoint found = {};                  // likewise: when the model was found
    uint64_t load = 0;             // likewise: which load it waits for, as far as there is one
    std::string traceparent = {};  // likewise: as it was given
  };

  // Of an open: when it came, its model was found, and its bytes were there.
  struct OpenTimes {
    TimePoint began;
    TimePoint found;
    TimePoint ready;
  };

  struct Held {
    Lease lease;
    uint64_t request;  // that it answered
    Tally::One counted;
  };

  void OnReady(unsigned ready);
  bool MayRead() const;
  void ReadFrames();
  bool HandleFrame();
  void FlushUnsent();
  void UpdateInterest();
  void ArmUnsentTimer();

  void Dispatch(const wire::Request& request);
  void Serve(uint64_t id, const wire::OpenRequest& request);
  void Serve(uint64_t id, const wire::CloseRequest& request);
  void Serve(uint64_t id, const wire::AddRequest& request);
  void Serve(uint64_t id, const wire::RemoveRequest& request);
  void Serve(uint64_t id, const wire::ListRequest& request);
  void Serve(uint64_t id, const wire::ShowRequest& request);
  void Serve(uint64_t id, const wire::StatusRequest& request);
  void Serve(uint64_t id, const wire::VerifyRequest& request);
  void Serve(uint64_t id, const wire::PushRequest& request);
  void Serve(uint64_t id, const wire::CancelRequest& request);
  void Serve(uint64_t id, const wire::PolicyRequest& request);
  void ServeDiskPolicy(uint64_t id, const wire::PolicyRequest& request);
  void Serve(uint64_t id, const wire::ControlRequest& request);
  void Serve(uint64_t id, const wire::EventsRequest& request);
  void Drain(uint64_t id, bool on, bool wait);
  Preparer::Progress ProgressOf(uint64_t id);

  uint64_t AddPending(uint64_t id);
  // What waits under `token`; not any more after this. Nothing if it has ended.
  std::optional<Pending> TakePending(uint64_t token);

  void Await(Pending open);
  void Answer(const Pending& open, Result<Lease> lease);
  static Event EventOf(const Pending& open, const Result<Lease>& lease);
  void RecordOpen(std::string_view tier, OpenEnd end, TimePoint began);
  // For who listens (session_events.cc).
  void TellOpen(OpenEnd end, const OpenTimes& times, Event open) const;
  void TellLeasesEnded() const;
  void ReplyOpen(uint64_t id, Result<Lease> lease);
  Status SendLease(uint64_t id, uint64_t number, const Lease& lease);
  size_t UntakenBytes() const;
  // Whether to make another document for this client, who has been told if not.
  // What it may ask for (session_limits.cc).
  bool MayHaveDocument(uint64_t id);  // if not, it has been told
  Status CheckDocumentsTaken();
  Status CheckDocumentTime() const;
  Status CheckMayWaitForEvents() const;
  Status CheckMayLease() const;
  bool IsOperator() const;
  void ChargeDocument(TimePoint began) const;
  void ReplyDocument(uint64_t id, const std::string& document);
  void ReplyProgress(uint64_t id, const wire::ProgressReply& reply);
  void ReplyLoad(const Pending& open);
  void TellLoads();
  void ArmLoadTimer();
  void ReplyWaiting(uint64_t id, std::chrono::milliseconds deadline);
  void ReplyError(uint64_t id, const Status& status);
  template <typename Value>
  std::function<void(Result<Value>)> WhenDone(uint64_t id, std::string (*document)(const Value&));

  void DropWithReply(const Status& why);
  void EndSoon();
  void TakeLastCloses();
  void DrainUnread();

  SessionContext* const context_;
  const uint64_t id_;
  const UniqueFd socket_;
  const wire::Principal principal_;

  Outbox outbox_;
  uint64_t watch_ = 0;
  unsigned interest_ = 0;
  uint64_t unsent_timer_ = 0;
  uint64_t load_timer_ = 0;  // while an open waits that asked for progress
  bool greeted_ = false;     // the first frame was well-formed
  bool ending_ = false;      // reads and sends nothing more
  bool ended_ = false;
  uint64_t next_token_ = 1;
  uint64_t next_lease_ = 1;
  uint64_t largest_document_ = 0;         // since the client's socket was last seen empty
  std::string client_;                    // what it calls itself
  std::shared_ptr<const Holder> holder_;  // of its leases; once greeted
  std::vector<Pending> pending_;
  const std::shared_ptr<Tally> tally_;  // of its user's leases
  std::map<uint64_t, Held> leases_;     // by number, which rises
};

}  // namespace trims

#endif  // TRIMS_SERVER_SESSION_H_
