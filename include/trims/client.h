// Client: a connection to the model resource manager of this node.
//
//     trims::Result<trims::Client> client = trims::Client::Connect();
//     if (!client.ok()) return Fail(client.status());
//     trims::Result<trims::Model> model = client->Open("ocr", {.variant = trims::Variant::kOrt});
//     if (!model.ok()) return Fail(model.status());
//     Use(model->bytes());  // read-only, shared with every process that opened it
//
// Connect() costs one connect(2): the first frame of Open() carries hello and request together, so
// a hit is one round trip. A connection that the daemon dropped (it was restarted, say) is made
// anew by the next Open; Models opened before stay valid, since their pages are theirs too. After
// fork() the child gets a connection of its own on first use. If another thread was inside a call
// of the Client when the process forked, the child may do nothing with it but destroy it: the lock
// that the other thread held is never released there. A child of a program with threads is best off
// with a Client of its own. Models may be read in the child; closing one there ends no lease.
//
// Thread-safety: safe; the requests of one Client wait for each other. Use one Client a thread to
// open in parallel.
#ifndef TRIMS_CLIENT_H_
#define TRIMS_CLIENT_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "trims/export.h"
#include "trims/model.h"
#include "trims/progress.h"
#include "trims/status.h"

namespace trims {

struct ClientOptions {
  // Path of the daemon's socket. Empty: $TRIMS_SOCKET, else the per-user socket if it is there,
  // else the system one.
  std::string socket_path;
  // Shown in the daemon's log and status; empty: the program's name.
  std::string client_name;
  // How long Admin waits for a document (List, Show, GetStatus, Remove, Policy) of a daemon that hangs.
  std::chrono::milliseconds document_timeout{std::chrono::seconds(30)};
};

struct OpenOptions {
  Variant variant = Variant::kFiles;
  // What the variant must be bound to; empty: any. FAILED_PRECONDITION if the prepared one is bound
  // to something else.
  std::string variant_key;
  // How long a miss may take, at most a day. Zero: the daemon's default (60 s, unless it is
  // configured otherwise). DEADLINE_EXCEEDED comes from the daemon; only one that hangs is given
  // 10 s more, and then given up.
  std::chrono::milliseconds deadline{0};
  // Where the bytes are wanted: a tier ("host", "device:0"), a device by its name ("sim:0"), or "any": the
  // device that holds the model already, else the one with the most room. Empty: "host". NOT_FOUND: the
  // daemon has none such.
  std::string tier;
  // Whose span the open is a part of, as W3C Trace Context writes it ("00-<trace>-<span>-01"): it stands in the daemon's events
  // and traces of this open. INVALID_ARGUMENT where it is malformed. Empty: $TRACEPARENT as of Connect(), where that is well-formed.
  std::string traceparent = {};
  // Called on the calling thread while a load is waited for, at its begin and then some five times a
  // second; never where the model is resident, nor by a daemon of an earlier release. False gives
  // up: Open() returns CANCELLED, and the load goes on for whoever opens the model next. The Client
  // waits meanwhile: used within, it answers FAILED_PRECONDITION. Must not throw.
  std::function<bool(const LoadProgress&)> progress = {};
};

class Client {
 public:
  // UNAVAILABLE: there is no socket, or nobody listens on it; PERMISSION_DENIED: its folder
  // may be written by others or belongs to neither this user nor root, or the kernel refuses the
  // connection. Never starts a daemon.
  TRIMS_EXPORT static Result<Client> Connect(const ClientOptions& options = {});

  TRIMS_EXPORT Client(Client&&) noexcept;
  TRIMS_EXPORT Client& operator=(Client&&) noexcept;
  TRIMS_EXPORT ~Client();  // models opened through it stay valid

  // Leases `reference` ([namespace/]name[:version] or …@sha256:<digest>), loading it first if it is
  // not resident, and maps it. NOT_FOUND (with near names), TOO_LARGE, RESOURCE_EXHAUSTED,
  // FAILED_PRECONDITION, DEADLINE_EXCEEDED, CANCELLED, DATA_LOSS, PERMISSION_DENIED,
  // INVALID_ARGUMENT, UNAVAILABLE: see the message and the hint.
  TRIMS_EXPORT Result<Model> Open(std::string_view reference, const OpenOptions& options = {});

 private:
  friend class Admin;
  class Impl;
  explicit Client(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// The sockets that Connect() tries when nothing is configured, first to last. Per user:
// $XDG_RUNTIME_DIR/trims/trimsd.sock, else /tmp/trims-<uid>/trimsd.sock; system:
// /run/trims/trimsd.sock.
TRIMS_EXPORT std::string UserSocketPath();
TRIMS_EXPORT std::string SystemSocketPath();

}  // namespace trims

#endif  // TRIMS_CLIENT_H_
