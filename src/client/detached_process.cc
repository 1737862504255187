#include "client/detached_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/errno_status.h"
#include "base/fault.h"
#include "base/macros.h"
#include "base/sys.h"
#include "base/unique_fd.h"

namespace trims::client {
namespace {

constexpr int kAboveStandard = 10;  // so that no descriptor is overwritten before it is copied

struct Plan {
  char* const* arguments;
  int input;
  int log;
  int inherited;
};

Result<UniqueFd> HighCopy(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, kAboveStandard));
  if (!copy) return ErrnoStatus("duplicating a descriptor");
  return copy;
}

// From here to exec only async-signal-safe calls: the starter may have threads.
void ResetSignals() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void Become(const Plan& plan) {
  static constexpr char kFailed[] = "trims: trimsd could not be executed\n";
  ResetSignals();
  ::dup2(plan.input, 0);
  ::dup2(plan.log, 1);
  ::dup2(plan.log, 2);
  ::dup2(plan.inherited, kInheritedFd);
  ::close_range(kInheritedFd + 1, ~0U, 0);
  if (::chdir("/") == 0) ::execv(plan.arguments[0], plan.arguments);
  [[maybe_unused]] const ssize_t written = ::write(2, kFailed, sizeof(kFailed) - 1);
  ::_exit(127);
}

// The child in between leaves at once, so that init inherits the daemon.
[[noreturn]] void LeaveDetached(const Plan& plan) {
  ::setsid();
  const pid_t daemon = ::fork();
  if (daemon == 0) Become(plan);
  ::_exit(daemon > 0 ? 0 : 1);
}

Status ForkDetached(const Plan& plan) {
  if (const int error = fault::Check(fault::Op::kSpawn))
    return ErrnoStatus("starting trimsd", error);
  const pid_t child = ::fork();
  if (child < 0) return ErrnoStatus("starting trimsd");
  if (child == 0) LeaveDetached(plan);
  int state = 0;
  pid_t waited;
  do {
    waited = ::waitpid(child, &state, 0);
  } while (waited < 0 && errno == EINTR);
  // Who ignores SIGCHLD has no state to look at; the readiness pipe tells then.
  if (waited == child && (!WIFEXITED(state) || WEXITSTATUS(state) != 0))
    return Status(StatusCode::kResourceExhausted, "starting trimsd: no further process",
                  "ulimit -u");
  return Status();
}

}  // namespace

Status StartDetached(const std::vector<std::string>& arguments, int log, int inherited) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  const UniqueFd null = sys::Open("/dev/null", O_RDONLY);
  if (!null) return ErrnoStatus("opening /dev/null");
  TRIMS_ASSIGN_OR_RETURN(const UniqueFd input, HighCopy(null.get()));
  TRIMS_ASSIGN_OR_RETURN(const UniqueFd output, HighCopy(log));
  TRIMS_ASSIGN_OR_RETURN(const UniqueFd third, HighCopy(inherited));
  return ForkDetached({pointers.data(), input.get(), output.get(), third.get()});
}

}  // namespace trims::client
