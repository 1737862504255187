#include "server/event_loop.h"

#include <exception>
#include <string>
#include <unordered_map>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include "base/errno_status.h"

namespace trims {
namespace {

Status AsioStatus(const char* what, const std::string& error) {
  return Status(StatusCode::kResourceExhausted, std::string(what) + ": " + error);
}

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
  explicit Impl(std::unique_ptr<FdPoller> poller)
      : poller_(std::move(poller)), context_(1), poller_ready_(context_), signals_(context_) {}
  // Asio closes what it holds; the epoll set is FdPoller's.
  ~Impl() {
    if (poller_ready_.is_open()) static_cast<void>(poller_ready_.release());
  }

  Status Start() {
    asio::error_code error;
    poller_ready_.assign(poller_->fd(), error);
    if (error) return AsioStatus("watching the epoll set", error.message());
    WaitForPoller();
    return Status();
  }

  void Run() {
    const auto work = asio::make_work_guard(context_);
    context_.restart();
    context_.run();
  }

  void Stop() { context_.stop(); }
  void Post(std::function<void()> call) { asio::post(context_, std::move(call)); }

  uint64_t CallAfter(Duration delay, std::function<void()> call) {
    const uint64_t id = next_timer_++;
    auto timer =
        std::make_unique<Timer>(Timer{asio::steady_timer(context_, delay), std::move(call)});
    timer->timer.async_wait([this, id](const asio::error_code& error) {
      if (!error) Fire(id);
    });
    timers_.emplace(id, std::move(timer));
    return id;
  }

  void Cancel(uint64_t id) { timers_.erase(id); }

  Status OnSignals(std::initializer_list<int> signals, std::function<void(int)> call) {
    for (const int signal : signals) {
      asio::error_code error;
      signals_.add(signal, error);
      if (error) return AsioStatus("catching signals", error.message());
    }
    on_signal_ = std::move(call);
    WaitForSignal();
    return Status();
  }

  FdPoller& poller() { return *poller_; }

 private:
  struct Timer {
    asio::steady_timer timer;
    std::function<void()> call;
  };

  // A timer that was cancelled after it expired and before its turn came is gone from the table.
  void Fire(uint64_t id) {
    const auto found = timers_.find(id);
    if (found == timers_.end()) return;
    const std::unique_ptr<Timer> timer = std::move(found->second);
    timers_.erase(found);
    timer->call();
  }

  // One batch a turn, so that timers and posted calls get theirs.
  void WaitForPoller() {
    poller_ready_.async_wait(asio::posix::stream_descriptor::wait_read,
                             [this](const asio::error_code& error) {
                               if (error) return;
                               poller_->RunBatch();
                               WaitForPoller();
                             });
  }

  void WaitForSignal() {
    signals_.async_wait([this](const asio::error_code& error, int signal) {
      if (error) return;
      on_signal_(signal);
      WaitForSignal();
    });
  }

  const std::unique_ptr<FdPoller> poller_;
  asio::io_context context_;
  asio::posix::stream_descriptor poller_ready_;
  asio::signal_set signals_;
  std::function<void(int)> on_signal_;
  uint64_t next_timer_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Timer>> timers_;
};

Result<std::unique_ptr<EventLoop>> EventLoop::Create() {
  Result<std::unique_ptr<FdPoller>> poller = FdPoller::Create();
  if (!poller.ok()) return std::move(poller).status();
  std::unique_ptr<Impl> impl;
  try {  // Asio's constructors are the one place that throws; nothing of it leaves this function.
    impl = std::make_unique<Impl>(*std::move(poller));
  } catch (const std::exception& error) {
    return AsioStatus("making the event loop", error.what());
  }
  if (Status status = impl->Start(); !status.ok()) return status;
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(impl)));
}

EventLoop::EventLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLoop::~EventLoop() = default;
void EventLoop::Run() { impl_->Run(); }
void EventLoop::Stop() { impl_->Stop(); }
void EventLoop::Post(std::function<void()> call) { impl_->Post(std::move(call)); }
uint64_t EventLoop::CallAfter(Duration delay, std::function<void()> call) {
  return impl_->CallAfter(delay, std::move(call));
}
void EventLoop::Cancel(uint64_t id) { impl_->Cancel(id); }
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
