#include "tools/trimsd/daemon.h"

#include <sys/statvfs.h>

#include <csignal>
#include <utility>

#include "base/byte_size.h"
#include "base/errno_status.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/program.h"
#include "device/remote_device.h"
#include "ingest/fetch_files.h"
#include "ingest/process_preparer.h"
#include "load/device_tier.h"
#include "load/host_tier.h"
#include "store/huge_pages.h"
#include "store/machine_memory.h"
#include "tools/trimsd/process_setup.h"
#include "tools/trimsd/start_keeper.h"
#include "wire/channel.h"

namespace trims::daemon {
namespace {

constexpr int kFetches = 4;  // models that are downloaded at a time; others wait
constexpr int kBacklog = 4096;
constexpr unsigned kSecondsToStop = 10;

Result<uint64_t> BudgetOf(const DaemonOptions& options) {
  Result<uint64_t> budget = ParseByteSize(options.host_budget, ReadMachineMemory().total);
  if (budget.ok() && *budget > 0) return budget;
  const Status why =
      budget.ok() ? Status(StatusCode::kInvalidArgument, "a budget of 0 bytes holds no model")
                  : budget.status();
  return Status(why.code(), "--host-budget: " + why.message(), why.hint());
}

// Asked for by name, it has to be there.
Result<ReadEngineKind> ReadEngineOf(const DaemonOptions& options) {
  if (options.read_engine == ReadEngineChoice::kPread) return ReadEngineKind::kPread;
  const ReadEngineSupport support = ProbeReadEngine();
  if (options.read_engine == ReadEngineChoice::kAuto || support.uring.ok()) return support.kind;
  return Status(support.uring.code(), "--read-engine uring: " + support.uring.message(),
                "let trimsd choose: --read-engine auto");
}

// A daemon without one serves what it has; whoever adds a model is told.
Result<std::string> PreparerProgram(const DaemonOptions& options) {
  Result<std::string> found = FindPreparer(options.preparer);
  if (!found.ok()) LogWarning("preparer.missing", {{"error", found.status()}});
  return found;
}

Status BeyondDevice(const DeviceInfo& device, uint64_t budget) {
  return Status(StatusCode::kInvalidArgument,
                "--device-budget: " + std::to_string(budget) + " bytes, but device " + device.name +
                    " has " + std::to_string(device.capacity),
                "a share fits every device: --device-budget 80%");
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::Start(const DaemonOptions& options) {
  std::optional<ServiceManager> service = ServiceManager::FromEnvironment();
  const uint64_t open_files = SetUpProcess();
  TRIMS_RETURN_IF_ERROR(CheckOpenFiles(open_files));
  TRIMS_RETURN_IF_ERROR(SetUpFaultInjection(options.allow_fault_injection));
  TRIMS_ASSIGN_OR_RETURN(const uint64_t budget, BudgetOf(options));
  TRIMS_RETURN_IF_ERROR(CheckGuaranteed(options.quotas, budget));
  TRIMS_ASSIGN_OR_RETURN(const ReadEngineKind engine, ReadEngineOf(options));
  TRIMS_ASSIGN_OR_RETURN(Places places, Places::Claim(options));
  std::unique_ptr<Daemon> daemon(
      new Daemon(options, std::move(places), engine, std::move(service), open_files));
  TRIMS_RETURN_IF_ERROR(daemon->MakeParts(budget));
  daemon->TakeOver();
  TRIMS_RETURN_IF_ERROR(daemon->Serve());
  LogDebug("limits", {{"open_files", open_files}});
  for (const std::string& reference : options.preload) daemon->manager_->Preload(reference);
  daemon->LogServing(budget);
  daemon->TellServing();
  return daemon;
}

Daemon::Daemon(const DaemonOptions& options, Places places, ReadEngineKind engine,
               std::optional<ServiceManager> service, uint64_t open_files)
    : options_(options),
      open_files_(open_files),
      places_(std::move(places)),
      engine_(engine),
      service_(std::move(service)) {}

// One that could not start, too, leaves what is kept to the next one.
Daemon::~Daemon() {
  if (keeper_ != nullptr) keeper_->Leave();
  if (server_ != nullptr) server_->Stop();
}

Status Daemon::MakeKeeper() {
  TRIMS_ASSIGN_OR_RETURN(keeper_, StartKeeper({.choice = options_.keeper,
                                               .keep_for = options_.keep_for,
                                               .socket = places_.socket(),
                                               .records = places_.data() + "/kept",
                                               .pages = options_.huge_pages,
                                               .most_descriptors = SpareOpenFiles() / 2,
                                               .service = service_ ? &*service_ : nullptr}));
  return Status();
}

// Before anybody can open it: then each open of what was resident is a hit.
void Daemon::TakeOver() {
  manager_->AwaitStarted([this] { loop_->Stop(); });
  loop_->Run();
}

Status Daemon::MakeParts(uint64_t budget) {
  TRIMS_RETURN_IF_ERROR(MakeKeeper());
  TRIMS_ASSIGN_OR_RETURN(loop_, EventLoop::Create());
  TRIMS_ASSIGN_OR_RETURN(worker_, MakeThreadWorker(loop_->poster()));
  TRIMS_ASSIGN_OR_RETURN(digesting_, MakeThreadWorker(loop_->poster()));
  TRIMS_ASSIGN_OR_RETURN(verifying_, MakeThreadWorker(loop_->poster()));
  TRIMS_ASSIGN_OR_RETURN(pushing_, MakeThreadWorker(loop_->poster()));
  TRIMS_ASSIGN_OR_RETURN(const size_t folders, PreparedStore::CountPublished(PreparedRoot()));
  TRIMS_ASSIGN_OR_RETURN(
      catalog_, Catalog::Open(places_.data() + "/catalog.db",
                              {.root = PreparedRoot(), .folders = folders}, loop_->poster()));
  TRIMS_ASSIGN_OR_RETURN(const uint64_t disk_capacity, DiskCapacity());
  TRIMS_ASSIGN_OR_RETURN(const uint64_t disk_budget, DiskBudget(disk_capacity));
  prepared_ = std::make_unique<PreparedStore>(PreparedRoot(), worker_.get(), disk_budget);
  WatchMemory();
  TRIMS_RETURN_IF_ERROR(MakeHostTier(budget));
  TRIMS_RETURN_IF_ERROR(MakeDeviceTiers());
  preparer_ = MakeProcessPreparer(
      {.program = PreparerProgram(options_), .onnxruntime_library = options_.onnxruntime_library},
      {.timers = loop_.get(), .watcher = loop_.get(), .worker = digesting_.get()});
  TRIMS_ASSIGN_OR_RETURN(
      fetcher_, MakeSourceFetcher(FetchFromNetwork({.concurrency = options_.download_ranges,
                                                    .bytes_per_second = options_.download_rate,
                                                    .pages = options_.huge_pages}),
                                  kFetches, loop_->poster(), loop_->asker()));
  manager_ = std::make_unique<Manager>(OptionsOfManager(),
                                       ManagerDependencies{.clock = &clock_,
                                                           .timers = loop_.get(),
                                                           .catalog = catalog_.get(),
                                                           .tiers = TiersOfManager(),
                                                           .preparer = preparer_.get(),
                                                           .prepared = prepared_.get(),
                                                           .disk_capacity = disk_capacity,
                                                           .worker = worker_.get(),
                                                           .fetcher = fetcher_.get(),
                                                           .verifying = verifying_.get(),
                                                           .pushing = pushing_.get(),
                                                           .post = loop_->poster(),
                                                           .keeper = keeper_.get(),
                                                           .watcher = loop_.get()});
  return WatchPressure(budget);
}

// A share is one of the budget as it is now.
void Daemon::RelievePressure() {
  const Result<uint64_t> floor =
      ParseByteSize(options_.pressure_floor, manager_->HostBudget().limit());
  manager_->RelievePressure(floor.ok() ? *floor : 0);
}

// With "auto" the daemon serves as well where nothing tells of it; a file that was named has to.
Status Daemon::WatchPressure(uint64_t budget) {
  if (options_.pressure == "off") return Status();
  const bool anyone = options_.pressure == "auto";
  TRIMS_RETURN_IF_ERROR(ParseByteSize(options_.pressure_floor, budget).status());
  Result<std::string> file = anyone ? FindPressureFile() : Result<std::string>(options_.pressure);
  Status status = file.status();
  if (status.ok()) {
    Result<std::unique_ptr<MemoryPressure>> watch =
        MemoryPressure::Watch(&loop_->poller(), *file, [this] { RelievePressure(); });
    status = watch.status();
    if (status.ok()) {
      pressure_ = *std::move(watch);
      pressure_file_ = *file;
    }
  }
  if (!status.ok() && !anyone)
    return Status(status.code(), "--pressure: " + status.message(), status.hint());
  if (!status.ok()) LogWarning("pressure.not_watched", {{"error", status}});
  return Status();
}

// Without it the daemon serves as well, and takes what it has let go of for free.
void Daemon::WatchMemory() {
  Result<std::unique_ptr<MemoryWatch>> watch = MemoryWatch::Start(loop_.get());
  if (!watch.ok()) return LogWarning("memory.not_watched", {{"error", watch.status()}});
  memory_watch_ = *std::move(watch);
}

Status Daemon::MakeHostTier(uint64_t budget) {
  TRIMS_ASSIGN_OR_RETURN(
      host_, trims::MakeHostTier({.budget = budget,
                                  .threads = options_.loader_threads,
                                  .pages = options_.huge_pages,
                                  .engine = engine_,
                                  .prepared_root = PreparedRoot(),
                                  .network = {.concurrency = options_.download_ranges,
                                              .bytes_per_second = options_.download_rate},
                                  .prepared = prepared_.get(),
                                  .feeds = !options_.devices.empty(),
                                  .watch = memory_watch_.get(),
                                  .keeper = keeper_.get()},
                                 loop_->poster()));
  return Status();
}

// Faults of devices happen where the devices are.
Result<std::unique_ptr<Device>> Daemon::StartDevice(const std::string& text) const {
  TRIMS_ASSIGN_OR_RETURN(const std::string program, FindDeviceProgram());
  std::vector<std::string> command = {program, text};
  const std::string plan = EnvironmentVariable("TRIMS_FAULT");
  if (options_.allow_fault_injection && plan.starts_with("device")) command.push_back(plan);
  Result<std::unique_ptr<Device>> device = StartRemoteDevice({.command = std::move(command)});
  if (device.ok()) return device;
  return Status(device.status().code(), "--device " + text + ": " + device.status().message(),
                device.status().hint());
}

Status Daemon::MakeDeviceTiers() {
  for (const std::string& text : options_.devices) {
    TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Device> device, StartDevice(text));
    const DeviceInfo& info = device->info();
    TRIMS_RETURN_IF_ERROR(CheckNewDevice(info.name));
    TRIMS_ASSIGN_OR_RETURN(const uint64_t budget,
                           ParseByteSize(options_.device_budget, info.capacity));
    if (budget > info.capacity) return BeyondDevice(info, budget);
    TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Tier> tier,
                           MakeDeviceTier({.number = static_cast<int>(device_tiers_.size()),
                                           .budget = budget,
                                           .watch = memory_watch_.get()},
                                          device.get(), loop_->poster()));
    LogInfo("device.opened",
            {{"tier", tier->name()},
             {"device", info.name},
             {"uuid", info.uuid},
             {"capacity_bytes", info.capacity},
             {"budget_bytes", budget},
             {"copies", info.copies.empty() ? std::string("modelled") : info.copies}});
    if (info.in_one_piece()) LogWarning("device.shared_writable", {{"device", info.name}});
    devices_.push_back(std::move(device));
    device_tiers_.push_back(std::move(tier));
  }
  return Status();
}

Status Daemon::CheckNewDevice(const std::string& name) const {
  for (const std::unique_ptr<Device>& device : devices_) {
    if (device->info().name != name) continue;
    return Status(StatusCode::kInvalidArgument, "--device " + name + " is there twice",
                  "give each its own number: sim:0, sim:1");
  }
  return Status();
}

std::vector<Tier*> Daemon::TiersOfManager() const {
  std::vector<Tier*> tiers = {host_.get()};
  for (const std::unique_ptr<Tier>& tier : device_tiers_) tiers.push_back(tier.get());
  return tiers;
}

// Of the file system on which the data lie.
Result<uint64_t> Daemon::DiskCapacity() const {
  struct statvfs disk {};
  if (::statvfs(places_.data().c_str(), &disk) != 0)
    return ErrnoStatus("can't look at " + places_.data());
  return uint64_t{disk.f_blocks} * disk.f_frsize;
}

Result<uint64_t> Daemon::DiskBudget(uint64_t capacity) const {
  if (options_.disk_budget.empty()) return PreparedStore::kNoBudget;
  return ParseByteSize(options_.disk_budget, capacity);
}

std::string_view Daemon::KeeperName() const { return keeper_ == nullptr ? "off" : keeper_->name(); }

ManagerOptions Daemon::OptionsOfManager() const {
  ManagerOptions options;
  options.residency.policy = options_.policy;
  options.residency.default_deadline = options_.default_deadline;
  options.residency.quotas = options_.quotas;
  options.residency.churn_guard = options_.churn_guard;
  options.residency.host_copy = options_.host_copy;
  options.ingest.granularity = options_.granularity;
  return options;
}

// An eighth of them, 32 at least, is for what the daemon itself opens: a table that connections fill could load no model.
size_t Daemon::SpareOpenFiles() const {
  if (open_files_ == 0) return SIZE_MAX;
  const uint64_t own = std::max<uint64_t>(open_files_ / 8, 32);
  return open_files_ > own ? open_files_ - own : 1;
}

size_t Daemon::MostConnections() const {
  const size_t left = SpareOpenFiles();
  if (options_.max_connections <= left) return options_.max_connections;
  LogWarning("connections.limited", {{"wanted", options_.max_connections},
                                     {"most", left},
                                     {"open_files", open_files_},
                                     {"hint", "raise the limit of open files (ulimit -n)"}});
  return left;
}

ServerOptions Daemon::OptionsOfServer() {
  ServerOptions options;
  options.limits.max_connections = MostConnections();
  options.limits.max_connections_per_uid = options_.max_connections_per_uid;
  options.idle_exit = options_.idle_exit;
  options.on_idle = [this] { Stop("idle", Successor::kNone); };
  options.version = TRIMS_VERSION;
  options.socket_path = places_.socket();
  options.data_folder = places_.data();
  options.read_engine = ReadEngineName(engine_);
  options.keeper = KeeperName();
  options.pressure_file = pressure_file_;
  return options;
}

Status Daemon::Serve() {
  TRIMS_RETURN_IF_ERROR(loop_->OnSignals({SIGTERM, SIGINT}, [this](int signal) {
    signal == SIGTERM ? Stop("SIGTERM", Successor::kExpected) : Stop("SIGINT", Successor::kNone);
  }));
  TRIMS_ASSIGN_OR_RETURN(UniqueFd listening,
                         wire::ListenOn(places_.socket(), options_.socket_mode, kBacklog));
  TRIMS_RETURN_IF_ERROR(places_.NoteSocket());
  TRIMS_ASSIGN_OR_RETURN(server_, Server::Start(OptionsOfServer(), {loop_.get(), manager_.get()},
                                                std::move(listening)));
  return Status();
}

void Daemon::LogServing(uint64_t budget) {
  const fault::ScopedExemption not_what_a_test_means_to_fail;
  const bool small = options_.huge_pages == HugePagePolicy::kSmall;
  const HugePageSupport support = small ? HugePageSupport{} : ProbeHugePages();
  LogInfo("trimsd.serving", {{"version", TRIMS_VERSION},
                             {"socket", places_.socket()},
                             {"data", places_.data()},
                             {"budget_bytes", budget},
                             {"pages", PagesName(support.pages)},
                             {"read_engine", ReadEngineName(engine_)},
                             {"keeper", KeeperName()},
                             {"reclaim", ReclaimText(options_.policy.reclaim)},
                             {"eviction", options_.policy.eviction->name},
                             {"admission", options_.policy.admission->name}});
  if (!support.mend.empty()) {
    LogInfo(
        "pages.advice",
        {{"pages", PagesName(support.pages)}, {"why", support.reason}, {"advice", support.mend}});
  }
}

void Daemon::Run() { loop_->Run(); }

void Daemon::TellServing() {
  TellReady(options_.ready_fd);
  if (!service_) return;
  const Status told = service_->Tell("READY=1");
  if (!told.ok()) LogWarning("ready.failed", {{"error", told}});
}

// The name goes first: whoever comes now finds no socket and may start a successor once the lock is
// free. What is resident is the successor's before the leases end.
void Daemon::Stop(const std::string& why, Successor successor) {
  LogInfo("trimsd.stopping", {{"why", why}, {"connections", server_->connections()}});
  EndWithin(kSecondsToStop);
  places_.RemoveSocket();
  if (keeper_ != nullptr) successor == Successor::kExpected ? keeper_->Leave() : keeper_->End();
  server_->Stop();
  loop_->Stop();
}

}  // namespace trims::daemon
