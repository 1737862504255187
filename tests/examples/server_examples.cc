// The examples of src/server/ and src/tools/trimsd/.
#include <iostream>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/unique_fd.h"
#include "loop/event_loop.h"
#include "manager/manager.h"
#include "server/document_budget.h"
#include "server/listener.h"
#include "server/open_latencies.h"
#include "server/outbox.h"
#include "server/server.h"
#include "server/session.h"
#include "server/tally.h"
#include "tools/trimsd/daemon.h"
#include "tools/trimsd/options.h"
#include "tools/trimsd/places.h"
#include "tools/trimsd/start_keeper.h"

namespace trims {
namespace {

Status ListenerExample(EventLoop& loop, UniqueFd socket) {
  // example: src/server/listener.h
  Listener listener(&loop, std::move(socket), {.accepted = {}, .refused = {}, .may_log = {}});
  TRIMS_RETURN_IF_ERROR(listener.Start());
  // end
  return {};
}

void OpenLatenciesExample(Duration took) {
  // example: src/server/open_latencies.h
  OpenLatencies latencies({{.name = "host"}});
  latencies.Record("host", OpenEnd::kHit, took);
  // end
}

void OutboxExample(Outbox& outbox, std::span<const std::byte> bytes, std::vector<int> fds,
                   bool writable) {
  bool progress = false;
  // example: src/server/outbox.h
  Status sent = outbox.Send(bytes, fds);  // now if it can be, else queued
  if (writable) sent = outbox.Flush(&progress);
  // end
}

Status ServerExample(const ServerOptions& options, EventLoop& loop, Manager& manager,
                     UniqueFd listening) {
  // example: src/server/server.h
  TRIMS_ASSIGN_OR_RETURN(const auto server,
                         Server::Start(options, {&loop, &manager}, std::move(listening)));
  loop.Run();  // requests are served
  server->Stop();
  // end
  return {};
}

Status SessionExample(SessionContext& context, uint64_t id, UniqueFd socket,
                      const wire::Principal& principal, const std::shared_ptr<Tally>& tally) {
  // example: src/server/session.h
  auto session = std::make_shared<Session>(&context, id, std::move(socket), principal, tally);
  TRIMS_RETURN_IF_ERROR(session->Start());
  // end
  return {};
}

void TallyExample() {
  // example: src/server/tally.h
  const auto tally = std::make_shared<Tally>();
  Tally::One counted(tally);  // until it goes
  // end
}

bool DocumentBudgetExample(DocumentBudget& budget, uint64_t uid, TimePoint now, Duration took,
                           const std::function<bool()>& Refuse) {
  // example: src/server/document_budget.h
  if (!budget.Has(uid, now)) return Refuse();
  budget.Take(uid, now, took);
  // end
  return true;
}

}  // namespace
}  // namespace trims

namespace trims::daemon {
namespace {

void DaemonExample(const DaemonOptions& options) {
  // example: src/tools/trimsd/daemon.h
  Result<std::unique_ptr<Daemon>> daemon = Daemon::Start(options);
  if (daemon.ok()) (*daemon)->Run();  // until SIGTERM, SIGINT or --idle-exit
  // end
}

int OptionsExample(int argc, const char* const* argv) {
  // example: src/tools/trimsd/options.h
  ParsedOptions parsed = ParseOptions(argc, argv, std::cout, std::cerr);
  if (parsed.exit_code.has_value()) return *parsed.exit_code;  // --help, --version, a usage error
  // end
  return 0;
}

Status StartKeeperExample(const KeeperWishes& wishes) {
  // example: src/tools/trimsd/start_keeper.h
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<SegmentKeeper> keeper,
                         StartKeeper(wishes));  // nullptr: nobody
  // end
  return {};
}

Status PlacesExample(const DaemonOptions& options) {
  // example: src/tools/trimsd/places.h
  TRIMS_ASSIGN_OR_RETURN(Places places, Places::Claim(options));
  // end
  return {};
}

}  // namespace
}  // namespace trims::daemon
