// trims-http: what the daemon knows, over HTTP. A program of its own, so that no parser of HTTP lives beside the models.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>

#include "base/log.h"
#include "base/sys.h"
#include "base/unique_fd.h"
#include "tools/http/options.h"
#include "tools/http/serve.h"

namespace {

constexpr unsigned kSecondsToStop = 10;

extern "C" void EndNow(int) { ::_exit(0); }

// Before there are threads, which inherit it.
sigset_t BlockStopSignals() {
  sigset_t stops;
  ::sigemptyset(&stops);
  ::sigaddset(&stops, SIGTERM);
  ::sigaddset(&stops, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &stops, nullptr);
  return stops;
}

void TellReady(int fd) {
  if (fd < 0) return;
  const trims::UniqueFd owned(fd);
  const char byte = '1';
  if (trims::sys::Write(fd, &byte, 1) != 1) trims::LogWarning("ready.failed", {{"fd", fd}});
}

}  // namespace

int main(int argc, char** argv) {
  const trims::http::ParsedOptions parsed =
      trims::http::ParseOptions(argc, argv, std::cout, std::cerr);
  if (parsed.exit_code.has_value()) return *parsed.exit_code;
  trims::SetLogLevel(parsed.options.log_level);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGALRM, EndNow);
  ::umask(077);
  const sigset_t stops = BlockStopSignals();
  auto serving = trims::http::Serving::Start(parsed.options);
  if (!serving.ok()) {
    std::cerr << "trims-http: " << serving.status().ToString() << '\n';
    return trims::http::kExitFailure;
  }
  TellReady(parsed.options.ready_fd);
  int signal = 0;
  ::sigwait(&stops, &signal);
  trims::LogInfo("http.stopping", {{"why", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  ::alarm(kSecondsToStop);  // a load that is waited for holds nobody up
  serving->reset();
  trims::LogInfo("http.stopped");
  return 0;
}
