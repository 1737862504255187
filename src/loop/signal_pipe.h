// SignalPipe: signals as bytes in a pipe, which an event loop can watch.
//
//   TRIMS_ASSIGN_OR_RETURN(auto signals, SignalPipe::Catch({SIGTERM, SIGINT}));
//   signals->Take([](int signal) { … });       // once fd() is readable
//
// Rather than signalfd(2), which needs the signals blocked in every thread, also in the children
// that are started later. Ownership: what the signals did before is in force again when it goes.
// Thread-safety: loop only; one at a time in a process.
#ifndef TRIMS_LOOP_SIGNAL_PIPE_H_
#define TRIMS_LOOP_SIGNAL_PIPE_H_

#include <signal.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

class SignalPipe {
 public:
  // FAILED_PRECONDITION: there is one already.
  static Result<std::unique_ptr<SignalPipe>> Catch(std::initializer_list<int> signals);
  ~SignalPipe();
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;

  // Hands out those that have come. A signal that comes again before it was handed out counts once
  // or more.
  void Take(const std::function<void(int signal)>& call);

  int fd() const { return read_end_.get(); }

 private:
  SignalPipe(UniqueFd read_end, UniqueFd write_end)
      : read_end_(std::move(read_end)), write_end_(std::move(write_end)) {}
  Status Install(int signal);

  const UniqueFd read_end_;
  const UniqueFd write_end_;
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace trims

#endif  // TRIMS_LOOP_SIGNAL_PIPE_H_
