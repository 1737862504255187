// ChildProcess: the move-only owner of a child with a process group of its own.
//
// Holding one costs a process and a pidfd. Destroyed, it kills the group and waits for the child,
// which a SIGKILL makes short. Thread-safety: none.
#ifndef TRIMS_BASE_CHILD_PROCESS_H_
#define TRIMS_BASE_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

// How a child ended.
struct ExitState {
  bool signalled = false;
  int value = 0;  // the signal, or the exit status
};

class ChildProcess {
 public:
  // Runs `arguments` (the first is the program's absolute path) with PATH, LANG and, of this process's own, the
  // variables named by `kept` as its whole environment, /dev/null as 0 to 2, `passed` as descriptor 3 and no other. NOT_FOUND,
  // PERMISSION_DENIED, RESOURCE_EXHAUSTED as posix_spawn(3) fails. Call it on a thread that lives as
  // long as the process: trims-prepare has itself killed when the thread that started it ends.
  static Result<ChildProcess> Spawn(const std::vector<std::string>& arguments, int passed,
                                    const std::vector<std::string>& kept = {});
  static constexpr int kPassedFd = 3;

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  int pidfd() const { return pidfd_.get(); }  // readable when the child has ended; borrowed
  void KillGroup();
  // After pidfd() became readable: kills what is left of the group and collects the child.
  ExitState Collect();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;  // 0: collected
  UniqueFd pidfd_;
};

}  // namespace trims

#endif  // TRIMS_BASE_CHILD_PROCESS_H_
