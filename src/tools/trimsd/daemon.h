// Daemon: all the parts of trimsd, put together, from the first lock to the last thread.
//
//   Result<std::unique_ptr<Daemon>> daemon = Daemon::Start(options);
//   if (daemon.ok()) (*daemon)->Run();       // until SIGTERM, SIGINT or --idle-exit
//
// Thread-safety: one thread.
#ifndef TRIMS_TOOLS_TRIMSD_DAEMON_H_
#define TRIMS_TOOLS_TRIMSD_DAEMON_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trims/status.h"

#include "catalog/catalog.h"
#include "device/device.h"
#include "ingest/preparer.h"
#include "keeper/segment_keeper.h"
#include "keeper/service_manager.h"
#include "load/read_engine.h"
#include "load/tier.h"
#include "loop/event_loop.h"
#include "loop/worker.h"
#include "manager/manager.h"
#include "server/server.h"
#include "store/memory_pressure.h"
#include "store/memory_watch.h"
#include "store/prepared_store.h"
#include "tools/trimsd/options.h"
#include "tools/trimsd/places.h"

namespace trims::daemon {

class Daemon {
 public:
  static Result<std::unique_ptr<Daemon>> Start(const DaemonOptions& options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void Run();

 private:
  Daemon(const DaemonOptions& options, Places places, ReadEngineKind engine,
         std::optional<ServiceManager> service, uint64_t open_files);

  Status MakeParts(uint64_t budget);
  void WatchMemory();
  Status WatchPressure(uint64_t budget);
  void RelievePressure();
  Status MakeKeeper();
  void TakeOver();
  Status MakeHostTier(uint64_t budget);
  Status MakeDeviceTiers();
  Result<std::unique_ptr<Device>> StartDevice(const std::string& text) const;
  Status CheckNewDevice(const std::string& name) const;
  std::vector<Tier*> TiersOfManager() const;
  Status Serve();
  Result<uint64_t> DiskCapacity() const;
  Result<uint64_t> DiskBudget(uint64_t capacity) const;
  std::string PreparedRoot() const { return places_.data() + "/prepared"; }
  std::string_view KeeperName() const;
  ManagerOptions OptionsOfManager() const;
  ServerOptions OptionsOfServer();
  size_t SpareOpenFiles() const;
  size_t MostConnections() const;
  void LogServing(uint64_t budget);
  void TellServing();
  // Whether what is resident stays for a daemon that comes after this one.
  enum class Successor { kExpected, kNone };
  void Stop(const std::string& why, Successor successor);

  // In the order in which they depend on one another; they go in reverse. The loop goes after the
  // store: an add whose entry was written, but who never heard of it, must not take its folder along.
  const DaemonOptions options_;
  const uint64_t open_files_;  // that this process may have; 0: not known
  Places places_;
  const ReadEngineKind engine_;
  std::optional<ServiceManager> service_;
  std::unique_ptr<SegmentKeeper> keeper_;  // nullptr: nothing outlives this daemon
  std::vector<std::unique_ptr<Device>>
      devices_;  // a completion that never ran may hold memory of one
  std::unique_ptr<EventLoop> loop_;
  SteadyClock clock_;
  std::unique_ptr<Worker> worker_;
  // These read and write whole models: what is short must not wait behind them.
  std::unique_ptr<Worker> digesting_;
  std::unique_ptr<Worker> verifying_;
  std::unique_ptr<Worker> pushing_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<PreparedStore> prepared_;
  std::unique_ptr<MemoryWatch> memory_watch_;  // nullptr: the kernel gave none
  std::unique_ptr<Tier> host_;
  std::vector<std::unique_ptr<Tier>> device_tiers_;  // one for each device
  std::unique_ptr<Preparer> preparer_;
  std::unique_ptr<SourceFetcher> fetcher_;
  std::unique_ptr<Manager> manager_;
  std::string pressure_file_;                 // empty: nothing tells of memory pressure
  std::unique_ptr<MemoryPressure> pressure_;  // likewise nullptr
  std::unique_ptr<Server> server_;
};

}  // namespace trims::daemon

#endif  // TRIMS_TOOLS_TRIMSD_DAEMON_H_
