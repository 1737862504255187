// ServerLimits: what one client may take of the daemon before it is slowed down, refused or
// dropped.
//
// docs/operations.md explains each with the flag that sets it. Thread-safety: values.
#ifndef TRIMS_SERVER_LIMITS_H_
#define TRIMS_SERVER_LIMITS_H_

#include <chrono>
#include <cstddef>

#include "base/clock.h"
#include "wire/protocol.h"

namespace trims {

struct ServerLimits {
  // Beyond these a new connection gets QUOTA_EXCEEDED and is closed.
  size_t max_connections = 8192;
  size_t max_connections_per_uid = 4096;
  // The last of max_connections are for operators, who have to see and end what fills the others; at most an eighth.
  size_t connections_for_operators = 16;

  // Requests of one connection that wait for their reply. Beyond: its socket isn't read
  // (back-pressure).
  size_t max_requests_in_flight = 64;

  // Leases of one connection. Beyond: QUOTA_EXCEEDED.
  size_t max_leases = 16384;

  // Of all connections of one user together. A lease is some 200 bytes of the daemon's. Beyond: QUOTA_EXCEEDED.
  size_t max_leases_per_uid = 262'144;

  // How long a client whose socket is full may go without taking a reply from it. Beyond: dropped.
  // Nothing is read meanwhile, so that at most max_requests_in_flight replies wait.
  Duration unsent_deadline = std::chrono::seconds(10);

  // What may wait in the socket of a client that doesn't read, as the kernel counts it: some 30
  // small replies. The kernel's own limit is five times that, and each reply may hold 250
  // descriptors, of which all clients together may leave only so many untaken before nobody can be
  // sent another. The largest reply has to fit: an error.
  size_t unread_bytes = size_t{40} * 1024;

  // Documents that a client has been sent and has not taken. Beyond: RESOURCE_EXHAUSTED. They are
  // memory of the daemon that belongs to no budget.
  size_t untaken_document_bytes = size_t{1} << 20;

  // Waits for events (docs/events.md) at once, of one connection and of all. Beyond: RESOURCE_EXHAUSTED. The last of all are for
  // operators. Each event is a look at all of them.
  size_t max_event_waits_per_connection = 4;
  size_t max_event_waits = 64;
  size_t event_waits_for_operators = 16;

  // A connection that has sent nothing for this long is dropped.
  Duration first_frame_deadline = std::chrono::seconds(10);

  // How often a client that asked for it is told how far the load is that it waits for.
  Duration progress_every = std::chrono::milliseconds(200);

  // Frames that one connection may have handled before it is the others' turn.
  int max_frames_per_turn = 16;
};

static_assert(ServerLimits{}.unread_bytes >= 2 * wire::kMaxErrorTextBytes + 4096);

}  // namespace trims

#endif  // TRIMS_SERVER_LIMITS_H_
