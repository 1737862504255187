#include "tools/trims/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/pipe.h"
#include "base/sys.h"

namespace trims::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostOutput = 64 * 1024;

Result<pid_t> Spawn(const std::vector<std::string>& arguments, int output) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus("cannot run " + arguments[0], error);
  return child;
}

// All that comes until the end of the stream or `deadline`; whether the end came in time.
bool ReadAll(int fd, Clock::time_point deadline, std::string* output) {
  char buffer[4096];
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waited{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&waited, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = sys::Read(fd, buffer, sizeof(buffer));
    if (got <= 0) return true;
    const size_t room = kMostOutput - output->size();
    output->append(buffer, std::min(room, static_cast<size_t>(got)));
  }
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<std::string> RunProgram(const std::vector<std::string>& arguments,
                               std::chrono::milliseconds limit) {
  TRIMS_ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
  TRIMS_ASSIGN_OR_RETURN(const pid_t child, Spawn(arguments, pipe.write.get()));
  pipe.write.reset();
  std::string output;
  const bool ended = ReadAll(pipe.read.get(), Clock::now() + limit, &output);
  if (!ended) kill(child, SIGKILL);
  const int status = WaitFor(child);
  if (!ended) return Status(StatusCode::kDeadlineExceeded, arguments[0] + " did not end in time");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  return Status(StatusCode::kFailedPrecondition,
                arguments[0] + (WIFEXITED(status)
                                    ? " exited with " + std::to_string(WEXITSTATUS(status))
                                    : " was ended by signal " + std::to_string(WTERMSIG(status))));
}

}  // namespace trims::cli
