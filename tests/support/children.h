// ChildrenOf: the processes that one has started and that still run; KillAndAwaitEnd: until one does so no more.
// Thread-safety: safe.
#ifndef TRIMS_TESTS_SUPPORT_CHILDREN_H_
#define TRIMS_TESTS_SUPPORT_CHILDREN_H_

#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "base/unique_fd.h"

namespace trims::test {

// Those of this name (its first 15 characters), which is the second field of /proc/PID/stat, in brackets; the
// parent is the fourth.
inline std::vector<pid_t> ChildrenOf(pid_t parent, const std::string& name) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string text = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (bad != std::errc() || *end != '\0') continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const std::string head = std::to_string(pid) + " (" + name.substr(0, 15) + ") ";
    if (!stat.starts_with(head)) continue;
    const std::string rest = stat.substr(head.size());  // "S 1234 …"
    if (rest[0] != 'Z' && rest.substr(2).starts_with(std::to_string(parent) + " "))
      children.push_back(pid);
  }
  return children;
}

// Returns once it has ended, with all that it had open closed, whoever reaps it. False: there is no such process.
inline bool KillAndAwaitEnd(pid_t pid) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || ::kill(pid, SIGKILL) != 0) return false;
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
  return ended.revents != 0;
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_CHILDREN_H_
