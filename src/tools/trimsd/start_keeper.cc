#include "tools/trimsd/start_keeper.h"

#include <utility>

#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/sys.h"
#include "client/detached_process.h"
#include "keeper/keeper_link.h"
#include "tools/trimsd/process_setup.h"
#include "wire/channel.h"

namespace trims::daemon {
namespace {

constexpr char kSocketSuffix[] = ".keeper";
constexpr mode_t kSocketMode = 0600;
constexpr int kKeeperBacklog = 4;

// It listens before it runs: whoever connects now is answered once it does.
Status StartProcess(const std::string& path) {
  TRIMS_ASSIGN_OR_RETURN(const std::string program, FindKeeperProgram());
  TRIMS_ASSIGN_OR_RETURN(const UniqueFd listening,
                         wire::ListenOn(path, kSocketMode, kKeeperBacklog));
  const UniqueFd null = sys::Open("/dev/null", O_WRONLY);
  if (!null) return ErrnoStatus("opening /dev/null");
  return client::StartDetached({program}, null.get(), listening.get());
}

// The one that the daemon before has left, or a new one.
Result<std::unique_ptr<DescriptorKeeper>> ProcessKeeper(const KeeperWishes& wishes) {
  const std::string path = wishes.socket + kSocketSuffix;
  Result<std::unique_ptr<DescriptorKeeper>> left = ConnectToKeeper(path, wishes.keep_for);
  if (left.ok()) return left;
  const StatusCode code = left.status().code();
  if (code != StatusCode::kNotFound && code != StatusCode::kUnavailable)
    LogWarning("keeper.left_alone", {{"socket", path}, {"error", left.status()}});
  TRIMS_RETURN_IF_ERROR(StartProcess(path));
  return ConnectToKeeper(path, wishes.keep_for);
}

// What was kept by another choice is not to stay for ever.
Status DropAll(ServiceManager* service) {
  const std::unique_ptr<DescriptorKeeper> keeper = MakeServiceManagerKeeper(service);
  TRIMS_ASSIGN_OR_RETURN(const std::vector<KeptDescriptors> held, keeper->TakeHeld());
  for (const KeptDescriptors& kept : held) TRIMS_RETURN_IF_ERROR(keeper->Drop(kept.label));
  return Status();
}

// nullptr: nobody.
Result<std::unique_ptr<DescriptorKeeper>> Choose(const KeeperWishes& wishes) {
  if (wishes.choice == KeeperChoice::kAuto && wishes.service != nullptr)
    return MakeServiceManagerKeeper(wishes.service);
  if (wishes.service != nullptr) TRIMS_RETURN_IF_ERROR(DropAll(wishes.service));
  if (wishes.choice == KeeperChoice::kProcess) return ProcessKeeper(wishes);
  return std::unique_ptr<DescriptorKeeper>();
}

Result<std::unique_ptr<SegmentKeeper>> StartOnce(const KeeperWishes& wishes) {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<DescriptorKeeper> keeper, Choose(wishes));
  if (keeper == nullptr) return std::unique_ptr<SegmentKeeper>();
  return SegmentKeeper::Start({.records = wishes.records,
                               .pages = wishes.pages,
                               .most_descriptors = wishes.most_descriptors},
                              std::move(keeper));
}

// With all that it holds, of which nobody would know.
void EndLeft(const KeeperWishes& wishes) {
  Result<std::unique_ptr<DescriptorKeeper>> left =
      ConnectToKeeper(wishes.socket + kSocketSuffix, wishes.keep_for);
  if (left.ok()) static_cast<void>((*left)->End());
}

// What can't be taken over is loaded from the disk, by a daemon that keeps it with another keeper.
Result<std::unique_ptr<SegmentKeeper>> Start(const KeeperWishes& wishes) {
  Result<std::unique_ptr<SegmentKeeper>> started = StartOnce(wishes);
  if (started.ok() || wishes.choice != KeeperChoice::kProcess) return started;
  LogWarning("keeper.not_taken_over", {{"error", started.status()}});
  EndLeft(wishes);
  return StartOnce(wishes);
}

}  // namespace

Result<std::unique_ptr<SegmentKeeper>> StartKeeper(const KeeperWishes& wishes) {
  Result<std::unique_ptr<SegmentKeeper>> started = Start(wishes);
  if (started.ok()) return started;
  const Status& why = started.status();
  if (wishes.choice == KeeperChoice::kProcess)
    return Status(why.code(), "--keeper process: " + why.message(), why.hint());
  LogWarning("keeper.missing", {{"error", why}});
  return std::unique_ptr<SegmentKeeper>();
}

}  // namespace trims::daemon
