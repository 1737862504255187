// trims-keeper: holds what is resident while there is no trimsd. Started by trimsd (--keeper process), with the
// listening socket as descriptor 3; it ends by itself (keeper/keeper_server.h).
#include <sys/resource.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "base/sys.h"
#include "base/unique_fd.h"
#include "keeper/keeper_server.h"

namespace trims {
namespace {

constexpr int kListening = 3;
constexpr int kBacklog = 4;
constexpr std::chrono::seconds kPatience{10};

// As many descriptors as it may have; and where memory gets short it is this process that goes, before the daemon.
void SetUp() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  const UniqueFd score = sys::Open("/proc/self/oom_score_adj", O_WRONLY);
  constexpr std::string_view kFirst = "1000";
  if (score) static_cast<void>(sys::Write(score.get(), kFirst.data(), kFirst.size()));
  std::signal(SIGPIPE, SIG_IGN);
  ::listen(
      kListening,
      kBacklog);  // again: whoever connects is told of this process, not of the daemon that bound it
}

}  // namespace
}  // namespace trims

int main(int argc, char**) {
  if (argc != 1) {
    std::fputs("trims-keeper is run by trimsd, with --keeper process: see man trimsd\n", stderr);
    return 2;
  }
  trims::SetUp();
  const trims::Status status = trims::RunKeeper(trims::kListening, trims::kPatience);
  if (!status.ok()) std::fprintf(stderr, "trims-keeper: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
