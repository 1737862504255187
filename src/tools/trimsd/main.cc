// trimsd: the model resource manager of this machine, or of one user.
#include <cstdio>
#include <iostream>
#include <memory>

#include "base/log.h"
#include "tools/trimsd/daemon.h"
#include "tools/trimsd/options.h"

int main(int argc, char** argv) {
  using trims::daemon::Daemon;
  const trims::daemon::ParsedOptions parsed =
      trims::daemon::ParseOptions(argc, argv, std::cout, std::cerr);
  if (parsed.exit_code.has_value()) return *parsed.exit_code;
  trims::SetLogLevel(parsed.options.log_level);
  trims::Result<std::unique_ptr<Daemon>> daemon = Daemon::Start(parsed.options);
  if (!daemon.ok()) {
    std::cerr << "trimsd: " << daemon.status().ToString() << '\n';
    return trims::daemon::kExitFailure;
  }
  (*daemon)->Run();
  daemon->reset();
  trims::LogInfo("trimsd.stopped");
  return 0;
}
