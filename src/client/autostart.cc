#include "client/autostart.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "trims/client.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/pipe.h"
#include "base/program.h"
#include "base/shell_quote.h"
#include "base/sys.h"
#include "client/detached_process.h"
#include "client/socket_path.h"
#include "wire/channel.h"
#include "wire/socket_folder.h"

namespace trims {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr off_t kLogTail = 2048;  // bytes of the daemon's last words that go into a message

Result<std::string> FindDaemon(const std::string& given) {
  const std::string named = given.empty() ? EnvironmentVariable("TRIMSD") : given;
  if (!named.empty()) {
    std::error_code ignored;
    const std::string path = fs::absolute(named, ignored).string();
    if (IsProgram(path)) return path;
    return Status(StatusCode::kUnavailable, "no trimsd answers and there is no program " + named,
                  "TRIMSD=/path/to/trimsd");
  }
  std::string found = FindProgram("trimsd", {OwnFolder()});
  if (!found.empty()) return found;
  return Status(StatusCode::kUnavailable, "no trimsd answers and there is none to start",
                "install trimsd, or TRIMSD=/path/to/trimsd");
}

std::string DataFolder(const std::string& given) {
  if (given.empty()) return UserDataFolder();
  std::error_code ignored;
  return fs::absolute(given, ignored).string();
}

Status Answers(const client::SocketCandidate& candidate) {
  TRIMS_RETURN_IF_ERROR(wire::CheckSocketFolder(candidate.path, candidate.origin));
  return wire::ConnectTo(candidate.path).status();
}

// The first candidate that answers; empty: none does. A folder that is not to be trusted is an
// error.
Result<std::string> FindAnswering() {
  for (const client::SocketCandidate& candidate : client::SocketCandidates("")) {
    Status status = Answers(candidate);
    if (status.ok()) return candidate.path;
    if (status.code() != StatusCode::kNotFound && status.code() != StatusCode::kUnavailable)
      return status;
  }
  return std::string();
}

Status MakeFolder(const std::string& socket) {
  const std::string folder = wire::FolderOf(socket);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    if (errno != ENOENT) return ErrnoStatus("making socket folder " + folder);
    const std::string above = wire::FolderOf(folder);
    return Status(StatusCode::kUnavailable,
                  "no trimsd answers, and there is no folder " + above + " for its socket",
                  "mkdir -p " + ShellQuote(above));
  }
  return wire::CheckSocketFolder(socket, wire::PathOrigin::kGuessed);
}

// Held until the daemon is ready; the kernel lets go of it if this process dies.
Result<UniqueFd> LockStart(const std::string& folder) {
  const std::string path = folder + "/start.lock";
  UniqueFd lock = sys::Open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (!lock) return ErrnoStatus("opening " + path);
  int result;
  do {
    result = ::flock(lock.get(), LOCK_EX);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return ErrnoStatus("locking " + path);
  return lock;
}

// What the daemon wrote since `start`, its end alone if that is long.
std::string TailOf(const std::string& path, off_t start) {
  const UniqueFd log = sys::Open(path.c_str(), O_RDONLY | O_NOFOLLOW);
  const off_t end = log ? ::lseek(log.get(), 0, SEEK_END) : 0;
  if (end <= start) return "it wrote nothing";
  start = std::max(start, end - kLogTail);
  std::string text(static_cast<size_t>(end - start), '\0');
  const ssize_t got = sys::Pread(log.get(), text.data(), text.size(), start);
  text.resize(got < 0 ? 0 : static_cast<size_t>(got));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// Waits for one byte; the pipe's end means that the daemon died.
Status AwaitReady(int pipe, milliseconds patience) {
  const steady_clock::time_point end = steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    pollfd event = {.fd = pipe, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&event, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return ErrnoStatus("waiting for trimsd");
    if (ready == 0)
      return Status(StatusCode::kDeadlineExceeded, "trimsd did not get ready in time");
    char byte;
    const ssize_t got = sys::Read(pipe, &byte, 1);
    if (got < 0) return ErrnoStatus("waiting for trimsd");
    return got == 1 ? Status() : Status(StatusCode::kUnavailable, "trimsd ended at once");
  }
}

Status StartDaemon(const AutostartOptions& options, const std::string& socket) {
  const std::string folder = wire::FolderOf(socket);
  const std::string data = DataFolder(options.data_folder);
  const std::string log_path = folder + "/trimsd.log";
  TRIMS_ASSIGN_OR_RETURN(const std::string program, FindDaemon(options.program));
  std::error_code error;
  fs::create_directories(data, error);
  if (error) return ErrnoStatus("making folder " + data, error.value());
  UniqueFd log = sys::Open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  if (!log) return ErrnoStatus("opening " + log_path);
  const off_t before = ::lseek(log.get(), 0, SEEK_END);
  TRIMS_ASSIGN_OR_RETURN(Pipe ready, MakePipe());
  TRIMS_RETURN_IF_ERROR(
      client::StartDetached({program, "--socket", socket, "--data", data, "--idle-exit",
                             options.idle_exit, "--ready-fd", std::to_string(client::kInheritedFd)},
                            log.get(), ready.write.get()));
  ready.write.reset();
  Status status = AwaitReady(ready.read.get(), options.patience);
  if (status.ok()) return status;
  return Status(status.code(), status.message() + ": " + TailOf(log_path, before),
                "look into " + log_path);
}

}  // namespace

std::string UserDataFolder() {
  const std::string data_home = EnvironmentVariable("XDG_DATA_HOME");
  if (!data_home.empty() && data_home[0] == '/') return data_home + "/trims";
  const std::string home = EnvironmentVariable("HOME");
  if (!home.empty() && home[0] == '/') return home + "/.local/share/trims";
  return wire::FolderOf(UserSocketPath()) + "/data";
}

Result<std::string> EnsureDaemon(const AutostartOptions& options) {
  if (!options.socket_path.empty()) return options.socket_path;
  if (std::string configured = EnvironmentVariable("TRIMS_SOCKET"); !configured.empty())
    return configured;
  TRIMS_ASSIGN_OR_RETURN(std::string answering, FindAnswering());
  if (!answering.empty()) return answering;
  if (EnvironmentVariable("TRIMS_AUTOSTART") == "0") {
    return Status(StatusCode::kUnavailable,
                  "no trimsd answers, and TRIMS_AUTOSTART=0 forbids to start one",
                  client::HowToStart(""));
  }
  const std::string socket = UserSocketPath();
  TRIMS_RETURN_IF_ERROR(MakeFolder(socket));
  TRIMS_ASSIGN_OR_RETURN(const UniqueFd lock, LockStart(wire::FolderOf(socket)));
  // Somebody may have started it while this process waited for the lock.
  if (Answers({socket, wire::PathOrigin::kGuessed}).ok()) return socket;
  TRIMS_RETURN_IF_ERROR(StartDaemon(options, socket));
  return socket;
}

}  // namespace trims
