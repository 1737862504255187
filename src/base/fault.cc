#include "base/fault.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace trims::fault {
namespace internal {
std::atomic<bool> armed{false};
}  // namespace internal

namespace {

struct State {
  Mutex mutex;
  Plan plan TRIMS_GUARDED_BY(mutex);
  int calls TRIMS_GUARDED_BY(mutex) = 0;
  bool fired TRIMS_GUARDED_BY(mutex) = false;
};

State& GlobalState() {
  static State& state = *new State;  // never destroyed: threads may outlive main
  return state;
}

thread_local int exemptions = 0;

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = text.find(separator)) != std::string_view::npos;
       text.remove_prefix(end + 1)) {
    parts.push_back(text.substr(0, end));
  }
  parts.push_back(text);
  return parts;
}

bool ParseInt(std::string_view text, int* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseOp(std::string_view text, Op* op) {
  for (Op candidate : kAllOps) {
    if (OpName(candidate) == text) {
      *op = candidate;
      return true;
    }
  }
  return false;
}

// What comes after the second ':'.
bool ParseEffect(std::string_view text, Plan* plan) {
  constexpr std::string_view kHold = "hold=";
  plan->stop = text == "stop";
  if (plan->stop) return true;
  if (!text.starts_with(kHold)) return ParseInt(text, &plan->error) && plan->error >= 1;
  plan->hold = text.substr(kHold.size());
  return !plan->hold.empty();
}

// Whether the plan is about this call.
bool IsDue(Op op, Plan* plan) {
  State& state = GlobalState();
  MutexLock lock(state.mutex);
  if (op != state.plan.op) return false;
  const int call = ++state.calls;
  if (call < state.plan.nth || call >= state.plan.nth + state.plan.count) return false;
  state.fired = true;
  *plan = state.plan;
  return true;
}

// A FIFO's opening for reading ends once it is opened for writing.
void WaitFor(const std::string& fifo) {
  int fd = -1;
  do {
    fd = ::open(fifo.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd >= 0) ::close(fd);
}

}  // namespace

int internal::CheckSlow(Op op) {
  Plan plan;
  if (exemptions > 0 || !IsDue(op, &plan)) return 0;
  if (plan.stop) return ::raise(SIGSTOP), 0;
  if (plan.hold.empty()) return plan.error;
  WaitFor(plan.hold);
  return 0;
}

std::string_view OpName(Op op) {
  switch (op) {
    case Op::kOpen:
      return "open";
    case Op::kRead:
      return "read";
    case Op::kMemfdCreate:
      return "memfd_create";
    case Op::kTruncate:
      return "truncate";
    case Op::kFallocate:
      return "fallocate";
    case Op::kMmap:
      return "mmap";
    case Op::kSeal:
      return "seal";
    case Op::kReopen:
      return "reopen";
    case Op::kSend:
      return "send";
    case Op::kReceive:
      return "receive";
    case Op::kAccept:
      return "accept";
    case Op::kSpawn:
      return "spawn";
    case Op::kWrite:
      return "write";
    case Op::kDatabase:
      return "database";
    case Op::kThread:
      return "thread";
    case Op::kMadvise:
      return "madvise";
    case Op::kSync:
      return "sync";
    case Op::kRename:
      return "rename";
    case Op::kMakeFolder:
      return "mkdir";
    case Op::kRingSetup:
      return "ring_setup";
    case Op::kRingSubmit:
      return "ring_submit";
    case Op::kHeader:
      return "header";
    case Op::kShortRead:
      return "short_read";
    case Op::kDeviceAllocate:
      return "device_allocate";
    case Op::kDeviceCopy:
      return "device_copy";
    case Op::kDeviceExport:
      return "device_export";
    case Op::kWatch:
      return "watch";
  }
  return "unknown";
}

Result<Plan> ParsePlan(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, ':');
  Plan plan;
  const bool valid = (parts.size() == 3 || parts.size() == 4) && ParseOp(parts[0], &plan.op) &&
                     ParseInt(parts[1], &plan.nth) && ParseEffect(parts[2], &plan) &&
                     (parts.size() == 3 || ParseInt(parts[3], &plan.count));
  if (!valid || plan.nth < 1 || plan.count < 1) {
    return Status(StatusCode::kInvalidArgument,
                  "fault plan '" + std::string(text) +
                      "': expected op:nth:errno[:count], such as fallocate:1:28, or "
                      "op:nth:hold=FIFO[:count] or op:nth:stop[:count]");
  }
  return plan;
}

void Install(const Plan& plan) {
  State& state = GlobalState();
  MutexLock lock(state.mutex);
  state.plan = plan;
  state.calls = 0;
  state.fired = false;
  internal::armed.store(true, std::memory_order_relaxed);
}

void Uninstall() { internal::armed.store(false, std::memory_order_relaxed); }

bool Fired() {
  State& state = GlobalState();
  MutexLock lock(state.mutex);
  return state.fired;
}

ScopedExemption::ScopedExemption() { ++exemptions; }
ScopedExemption::~ScopedExemption() { --exemptions; }

}  // namespace trims::fault
