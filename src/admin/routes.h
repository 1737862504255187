// Routes: which request is answered by what.
//
//   const Route route = FindRoute(request);
//   if (route.answer) return *route.answer;                          // known at once
//   pool.Run(route.pace, [&](DaemonLink& link) { Send(route.ask(link)); });  // the daemon has to be asked
//
// Thread-safety: pure functions; what a route asks runs on the thread that has the link.
#ifndef TRIMS_ADMIN_ROUTES_H_
#define TRIMS_ADMIN_ROUTES_H_

#include <functional>
#include <optional>

#include "admin/daemon_link.h"
#include "admin/message.h"

namespace trims::admin {

// kSlow: as long as a model may take to load.
enum class Pace { kQuick, kSlow };

struct Route {
  std::optional<HttpResponse> answer;
  std::function<HttpResponse(DaemonLink&)> ask;  // where there is no answer yet
  Pace pace = Pace::kQuick;
};

// 404 for a path that there is not, 405 for a method that it does not take, 400 for a body that it cannot read.
Route FindRoute(const HttpRequest& request);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_ROUTES_H_
