// The examples of src/loop/.
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/unique_fd.h"
#include "loop/event_loop.h"
#include "loop/fd_poller.h"
#include "loop/fd_watcher.h"
#include "loop/job_queue.h"
#include "loop/loop_asker.h"
#include "loop/posted_calls.h"
#include "loop/run_on.h"
#include "loop/signal_pipe.h"
#include "loop/timer_queue.h"
#include "loop/while_alive.h"
#include "loop/worker.h"

namespace trims {
namespace {

struct StoppedBySignal {
  void Stop() {}
};
void RemoveTree(const std::string&) {}
uint64_t Measure(const std::string& path) { return path.size(); }

Status EventLoopExample(StoppedBySignal& server) {
  // example: src/loop/event_loop.h
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<EventLoop> loop, EventLoop::Create());
  TRIMS_RETURN_IF_ERROR(loop->OnSignals({SIGTERM, SIGINT}, [&](int) { server.Stop(); }));
  loop->Run();  // until Stop()
  // end
  return {};
}

class Reader {
 public:
  void FdPollerExample(FdPoller& poller, int fd) {
    // example: src/loop/fd_poller.h
    watch_ = poller.Add(fd, FdPoller::kRead, [this](unsigned ready) { OnReady(ready); });
    poller.Remove(watch_);  // before the descriptor is closed; from inside the callback too
    // end
  }
  void OnReady(unsigned) {}
  uint64_t watch_ = 0;
};

class PipeReader {
 public:
  Status FdWatcherExample(FdWatcher* watcher, const UniqueFd& pipe) {
    // example: src/loop/fd_watcher.h
    TRIMS_ASSIGN_OR_RETURN(watch_, watcher->WatchReadable(pipe.get(), [this] { ReadSome(); }));
    // end
    return {};
  }
  void ReadSome() {}
  std::unique_ptr<FdWatch> watch_;
};

Result<size_t> LoopAskerExample(const EventLoop* loop, const std::vector<std::string>& catalog) {
  // example: src/loop/loop_asker.h
  const LoopAsker asker = loop->asker();
  Result<size_t> models = asker.Ask([&] { return catalog.size(); }, std::chrono::seconds(1));
  // end
  return models;
}

Status JobQueueExample(const std::string& path) {
  // example: src/loop/job_queue.h
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<JobQueue> queue, JobQueue::Start(2));
  queue->Push([path] { RemoveTree(path); });
  // end
  return {};
}

void PostedCallsExample(PostedCalls* posted) {
  // example: src/loop/posted_calls.h
  posted->Add([] {});  // from any thread; fd() becomes readable
  posted->RunAll();    // on the loop, once fd() is readable
  // end
}

Status SignalPipeExample() {
  // example: src/loop/signal_pipe.h
  TRIMS_ASSIGN_OR_RETURN(auto signals, SignalPipe::Catch({SIGTERM, SIGINT}));
  signals->Take([](int signal) {});  // once fd() is readable
  // end
  return {};
}

void TimerQueueExample(TimerQueue* timers) {
  // example: src/loop/timer_queue.h
  const uint64_t id = timers->Add(std::chrono::seconds(1), [] {});
  timers->RunDue();  // once fd() is readable
  // end
}

class Owner {
 public:
  void RunOnExample(Worker* worker, const std::string& path) {
    // example: src/loop/run_on.h
    RunOn(
        worker, [path] { return Measure(path); },
        [this](Result<uint64_t> bytes) { removed_ = bytes.ok(); });  // on the loop
    // end
  }
  void WhileAliveExample(Worker* worker, std::function<void()> work, UniqueFd incoming) {
    // example: src/loop/while_alive.h
    worker->Run(work, alive_.Only([this, incoming = std::move(incoming)] { removed_ = true; }));
    // end
  }
  void WorkerExample(Worker* worker, const std::string& path) {
    // example: src/loop/worker.h
    worker->Run([path] { RemoveTree(path); }, [this] { removed_ = true; });
    // end
  }

 private:
  bool removed_ = false;
  const WhileAlive alive_;
};

}  // namespace
}  // namespace trims
