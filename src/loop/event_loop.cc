#include "loop/event_loop.h"

#include <atomic>
#include <string>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "loop/posted_calls.h"
#include "loop/signal_pipe.h"
#include "loop/timer_queue.h"

namespace trims {
namespace {

class PollerWatch final : public FdWatch {
 public:
  PollerWatch(FdPoller* poller, uint64_t watch) : poller_(poller), watch_(watch) {}
  ~PollerWatch() override { poller_->Remove(watch_); }
  PollerWatch(const PollerWatch&) = delete;
  PollerWatch& operator=(const PollerWatch&) = delete;

 private:
  FdPoller* const poller_;
  const uint64_t watch_;
};

}  // namespace

class EventLoop::Impl {
 public:
  Impl(std::unique_ptr<FdPoller> poller, std::unique_ptr<TimerQueue> timers,
       std::unique_ptr<PostedCalls> posted)
      : poller_(std::move(poller)), timers_(std::move(timers)), posted_(std::move(posted)) {}

  Status Start() {
    TRIMS_RETURN_IF_ERROR(Watch(posted_->fd(), [this] { posted_->RunAll(); }));
    return Watch(timers_->fd(), [this] { timers_->RunDue(); });
  }

  void Run() {
    asked_.Begins();
    while (!stopped_.exchange(false)) poller_->WaitAndRunBatch();
    asked_.Ended();
  }

  void Stop() {
    stopped_.store(true);
    posted_->Wake();
  }

  Status OnSignals(std::initializer_list<int> signals, std::function<void(int)> call) {
    TRIMS_ASSIGN_OR_RETURN(signals_, SignalPipe::Catch(signals));
    return Watch(signals_->fd(),
                 [pipe = signals_.get(), call = std::move(call)] { pipe->Take(call); });
  }

  // For as long as the loop is there.
  Status Watch(int fd, std::function<void()> ready) {
    const uint64_t watch =
        poller_->Add(fd, FdPoller::kRead, [call = std::move(ready)](unsigned) { call(); });
    return watch != 0 ? Status() : ErrnoStatus("watching a descriptor of the event loop's");
  }

  FdPoller& poller() { return *poller_; }
  PostedCalls& posted() { return *posted_; }
  TimerQueue& timers() { return *timers_; }
  LoopAsker asker() const { return asked_.asker(); }

 private:
  std::atomic<bool> stopped_{false};
  const std::unique_ptr<FdPoller> poller_;
  const std::unique_ptr<TimerQueue> timers_;
  const std::unique_ptr<PostedCalls> posted_;  // before the timers: calls may own what has some
  std::unique_ptr<SignalPipe> signals_;
  AskedLoop asked_{[this](std::function<void()> call) { posted_->Add(std::move(call)); }};
};

Result<std::unique_ptr<EventLoop>> EventLoop::Create() {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<FdPoller> poller, FdPoller::Create());
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<TimerQueue> timers, TimerQueue::Create());
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<PostedCalls> posted, PostedCalls::Create());
  auto impl = std::make_unique<Impl>(std::move(poller), std::move(timers), std::move(posted));
  TRIMS_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(impl)));
}

EventLoop::EventLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLoop::~EventLoop() = default;
void EventLoop::Run() { impl_->Run(); }
void EventLoop::Stop() { impl_->Stop(); }
void EventLoop::Post(std::function<void()> call) { impl_->posted().Add(std::move(call)); }
LoopAsker EventLoop::asker() const { return impl_->asker(); }
uint64_t EventLoop::CallAfter(Duration delay, std::function<void()> call) {
  return impl_->timers().Add(delay, std::move(call));
}
void EventLoop::Cancel(uint64_t id) { impl_->timers().Cancel(id); }
Result<std::unique_ptr<FdWatch>> EventLoop::WatchReadable(int fd, std::function<void()> ready) {
  FdPoller& poller = impl_->poller();
  const uint64_t watch =
      poller.Add(fd, FdPoller::kRead, [call = std::move(ready)](unsigned) { call(); });
  if (watch == 0) return ErrnoStatus("watching descriptor " + std::to_string(fd));
  return std::unique_ptr<FdWatch>(std::make_unique<PollerWatch>(&poller, watch));
}
Status EventLoop::OnSignals(std::initializer_list<int> signals, std::function<void(int)> call) {
  return impl_->OnSignals(signals, std::move(call));
}
FdPoller& EventLoop::poller() { return impl_->poller(); }

}  // namespace trims
