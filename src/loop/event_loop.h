// EventLoop: the one thread on which manager and sessions live. It waits in one place, its FdPoller,
// in which timers, signals and calls from other threads are descriptors among the others.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<EventLoop> loop, EventLoop::Create());
//   TRIMS_RETURN_IF_ERROR(loop->OnSignals({SIGTERM, SIGINT}, [&](int) { server.Stop(); }));
//   loop->Run();                                    // until Stop()
//
// Ownership: outlives everything that has a timer, a watch or a posted call in it. Calls that were
// posted and have not run when the loop goes are destroyed without running. Thread-safety: Post(),
// Stop() and asker() from any thread, the rest on the thread that runs the loop.
#ifndef TRIMS_LOOP_EVENT_LOOP_H_
#define TRIMS_LOOP_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>

#include "trims/status.h"

#include "loop/fd_poller.h"
#include "loop/fd_watcher.h"
#include "loop/loop_asker.h"
#include "loop/post_to_loop.h"
#include "loop/timer_service.h"

namespace trims {

class EventLoop final : public TimerService, public FdWatcher {
 public:
  static Result<std::unique_ptr<EventLoop>> Create();
  ~EventLoop() override;

  // Returns once Stop() was called, which may have been before. May be run again after that.
  void Run();
  void Stop();

  void Post(std::function<void()> call);
  PostToLoop poster() {
    return [this](std::function<void()> call) { Post(std::move(call)); };
  }

  // For other threads that want an answer.
  LoopAsker asker() const;

  uint64_t CallAfter(Duration delay, std::function<void()> call) override;
  void Cancel(uint64_t id) override;
  Result<std::unique_ptr<FdWatch>> WatchReadable(int fd, std::function<void()> ready) override;

  // `call` runs on the loop for each of them that arrives; replaces what the signals did before.
  // One loop at a time in a process, and once.
  Status OnSignals(std::initializer_list<int> signals, std::function<void(int signal)> call);

  FdPoller& poller();

 private:
  class Impl;
  explicit EventLoop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims

#endif  // TRIMS_LOOP_EVENT_LOOP_H_
