// Programs of this build as a user runs them: with an environment of their own and everything they
// write kept.
#ifndef TRIMS_TESTS_E2E_CLI_PROGRAM_H_
#define TRIMS_TESTS_E2E_CLI_PROGRAM_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace trims::test {

struct Ended {
  int code = -1;  // exit code; 128 + the signal that ended it
  std::string out;
  std::string err;
};

// Whole environments: nothing is inherited but PATH.
using Environment = std::map<std::string, std::string>;

// Runs `arguments` (the first is the program's path) to its end.
Ended RunToEnd(const std::vector<std::string>& arguments, const Environment& environment);

// A trimsd with a socket and data of its own under `folder`. Ready once made; stopped (SIGTERM) and
// waited for when it goes.
class DaemonProcess {
 public:
  // `more` joins its environment.
  explicit DaemonProcess(const std::string& folder, Environment more = {});
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  bool ready() const { return ready_; }
  const std::string& socket() const { return socket_; }
  pid_t pid() const { return pid_; }
  std::string Log() const;
  // Sends `signal` and waits for the end; idempotent.
  void End(int signal);

 private:
  std::string socket_;
  std::string log_;
  pid_t pid_ = -1;
  bool ready_ = false;
};

std::string ReadFile(const std::string& path);

// A safetensors file with one tensor "weight" of two float32 values.
std::string SmallSafetensors(float first);

}  // namespace trims::test

#endif  // TRIMS_TESTS_E2E_CLI_PROGRAM_H_
