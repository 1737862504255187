#include "base/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/errno_status.h"
#include "base/fault.h"

namespace trims {
namespace {

class SpawnSettings {
 public:
  explicit SpawnSettings(int passed) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    // The passed one first: it may be one of 0 to 2 in a daemon that was started without them.
    posix_spawn_file_actions_adddup2(&actions_, passed, ChildProcess::kPassedFd);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions_, ChildProcess::kPassedFd + 1);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawnattr_t* attributes() const { return &attributes_; }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

std::vector<std::string> EnvironmentOf(const std::vector<std::string>& kept) {
  std::vector<std::string> variables = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"};
  for (const std::string& name : kept) {
    if (const char* value = std::getenv(name.c_str())) variables.push_back(name + "=" + value);
  }
  return variables;
}

int SpawnInto(pid_t* pid, const std::vector<std::string>& arguments, const SpawnSettings& settings,
              const std::vector<std::string>& kept) {
  if (const int error = fault::Check(fault::Op::kSpawn); error != 0) return error;
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> variables = EnvironmentOf(kept);
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  return ::posix_spawn(pid, argv[0], settings.actions(), settings.attributes(), argv.data(),
                       environment.data());
}

// EAGAIN is no matter of waiting here: a limit on processes is reached.
Status SpawnFailed(const std::string& program, int error) {
  if (error != EAGAIN) return ErrnoStatus("can't start " + program, error);
  return Status(StatusCode::kResourceExhausted, "can't start " + program + ": too many processes",
                "raise the daemon's limit on them (systemd: TasksMax=)");
}

}  // namespace

Result<ChildProcess> ChildProcess::Spawn(const std::vector<std::string>& arguments, int passed,
                                         const std::vector<std::string>& kept) {
  const SpawnSettings settings(passed);
  pid_t pid = 0;
  if (const int error = SpawnInto(&pid, arguments, settings, kept); error != 0) {
    return SpawnFailed(arguments[0], error);
  }
  ChildProcess child(pid);
  // The child is not collected yet, so its id can't be another's.
  child.pidfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!child.pidfd_) return ErrnoStatus("can't watch the child that runs " + arguments[0]);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ != 0) Collect();
}

void ChildProcess::KillGroup() {
  if (pid_ != 0) ::kill(-pid_, SIGKILL);
}

ExitState ChildProcess::Collect() {
  KillGroup();  // before it is collected: until then the group's id is the child's
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  if (WIFSIGNALED(status)) return {.signalled = true, .value = WTERMSIG(status)};
  return {.signalled = false, .value = WEXITSTATUS(status)};
}

}  // namespace trims
