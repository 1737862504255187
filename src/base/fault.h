// Fault injection: makes the N-th system call of a kind fail, so that every failure point is tested
// by failing it; or wait, so that a test sees what is half done.
//
// The calls of base/sys.h ask Check() first. Without an installed plan that is one relaxed atomic
// load. A plan is for tests only: it is installed by a test in its own process, or through
// TRIMS_FAULT in a daemon that a test started with --allow-fault-injection. "Fail the N-th call"
// loops: install N = 1, 2, … until fired() stays false.
//
//   for (int nth = 1;; ++nth) {
//     fault::ScopedPlan plan({.op = fault::Op::kFallocate, .nth = nth, .error = ENOSPC});
//     Status status = Load();
//     if (!plan.fired()) break;
//     EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
//   }
//
// Thread-safety: Check() from any thread; plans are installed one at a time.
#ifndef TRIMS_BASE_FAULT_H_
#define TRIMS_BASE_FAULT_H_

#include <atomic>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims::fault {

enum class Op : int {
  kOpen,
  kRead,
  kMemfdCreate,
  kTruncate,
  kFallocate,
  kMmap,
  kSeal,
  kReopen,
  kSend,
  kReceive,
  kAccept,
  kSpawn,
  kWrite,
  kDatabase,
  kThread,
  kMadvise,
  kSync,
  kRename,
  kMakeFolder,
  kRingSetup,
  kRingSubmit,
  kHeader,          // libcurl's memory for a header of a request
  kShortRead,       // no failure: half of what was read; the error counts for nothing
  kDeviceAllocate,  // of a simulated device, as the two after it: ENOMEM, ENODEV (lost) or another errno
  kDeviceCopy,
  kDeviceExport,
  kWatch,  // of memory that is let go of
};

inline constexpr Op kAllOps[] = {
    Op::kOpen,         Op::kRead,   Op::kMemfdCreate, Op::kTruncate,       Op::kFallocate,
    Op::kMmap,         Op::kSeal,   Op::kReopen,      Op::kSend,           Op::kReceive,
    Op::kAccept,       Op::kSpawn,  Op::kWrite,       Op::kDatabase,       Op::kThread,
    Op::kMadvise,      Op::kSync,   Op::kRename,      Op::kMakeFolder,     Op::kRingSetup,
    Op::kRingSubmit,   Op::kHeader, Op::kShortRead,   Op::kDeviceAllocate, Op::kDeviceCopy,
    Op::kDeviceExport, Op::kWatch};

std::string_view OpName(Op op);

// From the nth-th call of `op` on, `count` calls fail with `error` (an errno). Or, where `hold` names a
// FIFO, they fail not but wait until somebody opens it for writing; where it isn't there they don't wait. Or, with
// `stop`, the process stops there, as with SIGSTOP, which its parent can wait for.
struct Plan {
  Op op = Op::kOpen;
  int nth = 1;
  int error = 5;
  int count = 1;
  std::string hold = {};
  bool stop = false;
};

// "fallocate:3:28" or "fallocate:3:28:2" (op:nth:errno[:count]), or "read:1:hold=/tmp/fifo:1000" (no ':'
// in the path), or "database:2:stop"; INVALID_ARGUMENT says what is wrong with it.
Result<Plan> ParsePlan(std::string_view text);

// Installs `plan` for the rest of the process. Replaces an earlier one.
void Install(const Plan& plan);
void Uninstall();
bool Fired();  // whether the installed plan has failed a call

// Plans skip the calling thread while one of these lives (the client's side of a test that faults
// the daemon's).
class ScopedExemption {
 public:
  ScopedExemption();
  ~ScopedExemption();
  ScopedExemption(const ScopedExemption&) = delete;
  ScopedExemption& operator=(const ScopedExemption&) = delete;
};

class ScopedPlan {
 public:
  explicit ScopedPlan(const Plan& plan) { Install(plan); }
  ~ScopedPlan() { Uninstall(); }
  ScopedPlan(const ScopedPlan&) = delete;
  ScopedPlan& operator=(const ScopedPlan&) = delete;
  bool fired() const { return Fired(); }
};

namespace internal {
extern std::atomic<bool> armed;
int CheckSlow(Op op);
}  // namespace internal

// 0, or the errno with which this call of `op` is to fail.
inline int Check(Op op) {
  if (!internal::armed.load(std::memory_order_relaxed)) [[likely]]
    return 0;
  return internal::CheckSlow(op);
}

}  // namespace trims::fault

#endif  // TRIMS_BASE_FAULT_H_
