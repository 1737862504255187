#include "store/memory_pressure.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fstream>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"

namespace trims {
namespace {

constexpr char kMachine[] = "/proc/pressure/memory";

struct Trigger {
  UniqueFd fd;
  bool is_fifo = false;
};

// A trigger is written to it, which any other file would take as its content.
Status CheckIsKernels(int fd, const std::string& path) {
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return ErrnoStatus("looking at " + path);
  const auto type = static_cast<uint64_t>(system.f_type);
  if (type == PROC_SUPER_MAGIC || type == CGROUP2_SUPER_MAGIC) return Status();
  return Status(StatusCode::kFailedPrecondition,
                path + " is no file of the kernel's on memory pressure; nothing was written",
                "name /proc/pressure/memory, or memory.pressure of a control group of version 2");
}

Result<Trigger> OpenTrigger(const std::string& path) {
  Trigger trigger{.fd = sys::Open(path.c_str(), O_RDWR | O_NONBLOCK)};
  if (!trigger.fd) return ErrnoStatus("opening " + path + " to be told of memory pressure");
  struct stat file {};
  trigger.is_fifo = ::fstat(trigger.fd.get(), &file) == 0 && S_ISFIFO(file.st_mode);
  if (trigger.is_fifo) return trigger;
  TRIMS_RETURN_IF_ERROR(CheckIsKernels(trigger.fd.get(), path));
  // With its end, as the kernel wants it.
  if (sys::Write(trigger.fd.get(), kPressureTrigger, sizeof kPressureTrigger) < 0) {
    return ErrnoStatus("asking " + path + " for a trigger on memory pressure");
  }
  return trigger;
}

bool Exists(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0;
}

// "0::/path" of /proc/self/cgroup, which is version 2's. The root's group has no file of its own.
std::string OwnGroup(const std::string& root) {
  std::ifstream lines(root + "/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::/") && line.size() > 4) return line.substr(3);
  }
  return "";
}

}  // namespace

Result<std::string> FindPressureFile(const std::string& root) {
  const std::string group = OwnGroup(root);
  const std::string own = root + "/sys/fs/cgroup" + group + "/memory.pressure";
  if (!group.empty() && Exists(own)) return own;
  if (Exists(root + kMachine)) return root + kMachine;
  return Status(StatusCode::kUnimplemented,
                "this kernel tells nobody of memory pressure: there is no " + std::string(kMachine),
                "a kernel with CONFIG_PSI, booted with psi=1");
}

Status CheckPressureFile(const std::string& path) { return OpenTrigger(path).status(); }

Result<std::unique_ptr<MemoryPressure>> MemoryPressure::Watch(FdPoller* poller,
                                                              const std::string& path,
                                                              std::function<void()> stalled) {
  TRIMS_ASSIGN_OR_RETURN(Trigger trigger, OpenTrigger(path));
  const bool is_fifo = trigger.is_fifo;
  std::unique_ptr<MemoryPressure> pressure(
      new MemoryPressure(poller, std::move(trigger.fd), is_fifo, std::move(stalled)));
  pressure->watch_ =
      poller->Add(pressure->trigger_.get(), is_fifo ? FdPoller::kRead : FdPoller::kUrgent,
                  [made = pressure.get()](unsigned ready) { made->OnReady(ready); });
  if (pressure->watch_ == 0) return ErrnoStatus("watching " + path);
  return pressure;
}

void MemoryPressure::OnReady(unsigned ready) {
  // Its group is gone: there will be no more events.
  if (ready & FdPoller::kHangUp) return poller_->Remove(std::exchange(watch_, 0));
  if (is_fifo_) {
    char byte = 0;
    if (::read(trigger_.get(), &byte, 1) != 1) return;
  }
  stalled_();
}

}  // namespace trims
