// Event streams: what the daemon does, as server-sent events.
//
//   id: 1795773405450392
//   event: segment.resident
//   data: {"sequence":1795773405450392,"kind":"segment.resident",…}
//
// Whoever connects anew with the last id (Last-Event-ID) goes on from there. Where events went before they were read, an event
// "lost" says how many. A comment each 15 s keeps proxies from closing what is quiet.
// Thread-safety: pure functions; what is asked runs on the thread that has the link.
#ifndef TRIMS_ADMIN_EVENT_STREAM_H_
#define TRIMS_ADMIN_EVENT_STREAM_H_

#include "trims/admin.h"
#include "trims/status.h"

#include "admin/daemon_link.h"
#include "admin/message.h"

namespace trims::admin {

// From the query (since, kind, model, opens) and Last-Event-ID. INVALID_ARGUMENT says what is wrong.
Result<EventsOptions> EventsOptionsOf(const HttpRequest& request);

// An answer that goes on (HttpResponse::more), or the daemon's error.
HttpResponse AnswerEvents(EventsOptions options, DaemonLink& link);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_EVENT_STREAM_H_
