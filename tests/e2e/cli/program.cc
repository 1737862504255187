#include "e2e/cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "support/scratch_folder.h"

namespace trims::test {
namespace {

constexpr int kReadyFd = 3;
constexpr int kPatienceMs = 30'000;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Lines(const Environment& environment) {
  std::vector<std::string> lines;
  const char* path = std::getenv("PATH");
  if (!environment.contains("PATH"))
    lines.push_back(std::string("PATH=") + (path == nullptr ? "/usr/bin:/bin" : path));
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  return lines;
}

// `ready`: becomes descriptor 3 of the child; -1: none.
pid_t Spawn(std::vector<std::string> arguments, const Environment& environment,
            const std::string& out, const std::string& err, int ready) {
  std::vector<std::string> lines = Lines(environment);
  std::vector<char*> argv = Pointers(arguments);
  std::vector<char*> envp = Pointers(lines);
  const pid_t child = fork();
  if (child != 0) return child;
  const int out_fd = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err_fd = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int null_fd = open("/dev/null", O_RDONLY);
  dup2(null_fd, STDIN_FILENO);
  dup2(out_fd, STDOUT_FILENO);
  dup2(err_fd, STDERR_FILENO);
  // Of the three, which are the lowest free ones, one may be descriptor 3 itself.
  const int kept = ready < 0 ? -1 : fcntl(ready, F_DUPFD, 100);
  for (int fd = kReadyFd; fd < 100; ++fd) close(fd);
  if (kept >= 0) dup2(kept, kReadyFd);
  execve(argv[0], argv.data(), envp.data());
  _exit(127);
}

int Wait(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool OneByteComes(int fd) {
  pollfd waited{.fd = fd, .events = POLLIN, .revents = 0};
  char byte = 0;
  return poll(&waited, 1, kPatienceMs) == 1 && read(fd, &byte, 1) == 1;
}

}  // namespace

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Ended RunToEnd(const std::vector<std::string>& arguments, const Environment& environment) {
  const ScratchFolder folder;
  Ended ended;
  ended.code = Wait(Spawn(arguments, environment, folder / "out", folder / "err", -1));
  ended.out = ReadFile(folder / "out");
  ended.err = ReadFile(folder / "err");
  return ended;
}

DaemonProcess::DaemonProcess(const std::string& folder, Environment more)
    : socket_(folder + "/trimsd.sock"), log_(folder + "/trimsd.log") {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  more.emplace("HOME", folder);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  pid_ = Spawn({TRIMSD_PROGRAM, "--socket", socket_, "--data", folder + "/data", "--preparer",
                PREPARE_PROGRAM, "--host-budget", "64MiB", "--ready-fd", std::to_string(kReadyFd)},
               more, folder + "/trimsd.out", log_, writer.get());
  writer.reset();
  ready_ = OneByteComes(reader.get());
}

DaemonProcess::~DaemonProcess() { End(SIGTERM); }

void DaemonProcess::End(int signal) {
  if (pid_ <= 0) return;
  kill(pid_, signal);
  Wait(pid_);
  pid_ = -1;
}

std::string DaemonProcess::Log() const { return ReadFile(log_); }

std::string SmallSafetensors(float first) {
  const std::string header = R"({"weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const uint64_t length = header.size();
  const float values[2] = {first, 2.0f};
  std::string file(sizeof(length), '\0');
  std::memcpy(file.data(), &length, sizeof(length));
  file += header;
  file.append(reinterpret_cast<const char*>(values), sizeof(values));
  return file;
}

}  // namespace trims::test
