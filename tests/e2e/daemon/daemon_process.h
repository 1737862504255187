// DaemonProcess: a real trimsd of a test's own, and ChildProcess, which it and the clients are.
//
// Waiting is for an event with an end of its own: a byte of --ready-fd, the end of a process. A
// daemon that is still there when its owner goes is killed. Thread-safety: none.
#ifndef TRIMS_TESTS_E2E_DAEMON_DAEMON_PROCESS_H_
#define TRIMS_TESTS_E2E_DAEMON_DAEMON_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/admin.h"
#include "trims/client.h"

#include "base/unique_fd.h"

namespace trims::test {

class ChildProcess {
 public:
  ChildProcess() = default;
  // Standard output is a pipe that Read() reads; standard error goes to the file `log`, if that is
  // named. `environment` is added to this process's.
  static ChildProcess Start(const std::vector<std::string>& command,
                            const std::vector<std::string>& environment = {},
                            const std::string& log = "");
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  // kills it

  pid_t pid() const { return pid_; }
  bool ReadByte();        // false at the end of its output
  std::string ReadAll();  // until the end of its output
  void Signal(int number) const;
  int Wait();       // its exit status; 128 + the signal that ended it
  bool WaitStop();  // until it stops; false: it ended instead

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
};

class DaemonProcess {
 public:
  // In `folder`, which holds socket, data and log. `arguments` come after those. Whether it got
  // ready says ready().
  DaemonProcess(const std::string& folder, const std::vector<std::string>& arguments = {},
                const std::vector<std::string>& environment = {});

  bool ready() const { return ready_; }
  ChildProcess& process() { return process_; }
  const std::string& socket() const { return socket_; }
  std::string Log() const;

  Result<Client> Connect() const;
  // Registers `bytes` random bytes as `name`, as one file; returns its path.
  std::string AddFile(const std::string& name, size_t bytes);

  // As of two round trips, so that every hang-up before has been seen.
  nlohmann::json GetStatus();
  // Status once nothing is loading, freeing or being closed any more, and there are so many connections
  // besides this object's own.
  nlohmann::json GetSettledStatus(size_t others = 0);
  // With nothing under way: the reply to a request that has no descriptor has been sent.
  size_t Descriptors();

 private:
  Result<Admin*> GetAdmin();

  std::string folder_;
  std::string socket_;
  ChildProcess process_;
  bool ready_ = false;
  std::vector<Admin> admin_;  // one, once it was needed
};

std::string ReadFile(const std::string& path);

}  // namespace trims::test

#endif  // TRIMS_TESTS_E2E_DAEMON_DAEMON_PROCESS_H_
