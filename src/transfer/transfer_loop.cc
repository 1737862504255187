#include "transfer/transfer_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/macros.h"
#include "base/thread.h"
#include "transfer/back_off.h"

namespace trims {
namespace {

constexpr int kIdleMilliseconds = 60'000;  // it is woken when there is something to do

// Of what all may and have to do together, each transfer has its share.
TransferPace PaceOf(const TransferLoopOptions& options) {
  const uint64_t depth = std::max<size_t>(1, options.depth);
  TransferPace pace;
  if (options.bytes_per_second != 0)
    pace.bytes_per_second = std::max<uint64_t>(1, options.bytes_per_second / depth);
  double slowest = static_cast<double>(options.patience.slowest) / static_cast<double>(depth);
  // Nobody is late who was held back.
  if (pace.bytes_per_second != 0)
    slowest = std::min(slowest, static_cast<double>(pace.bytes_per_second) / 2);
  const std::chrono::duration<double> stall = options.patience.stall;
  pace.bytes_per_stall = std::max<uint64_t>(1, static_cast<uint64_t>(slowest * stall.count()));
  return pace;
}

}  // namespace

TransferLoop::TransferLoop(const TransferLoopOptions& options, CurlMulti multi)
    : options_(options), pace_(PaceOf(options)), multi_(std::move(multi)) {}

Result<std::unique_ptr<TransferLoop>> TransferLoop::Start(const TransferLoopOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(CurlMulti multi, CurlMulti::Make());
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.depth));
  std::unique_ptr<TransferLoop> loop(new TransferLoop(options, std::move(multi)));
  TRIMS_ASSIGN_OR_RETURN(loop->thread_, StartThread([self = loop.get()] { self->Run(); }));
  return loop;
}

TransferLoop::~TransferLoop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  multi_.Wake();
  thread_.join();
}

void TransferLoop::Submit(TransferPtr transfer) {
  ++in_flight_;
  {
    MutexLock lock(mutex_);
    submitted_.push_back(std::move(transfer));
  }
  multi_.Wake();
}

TransferDone TransferLoop::Wait() {
  MutexLock lock(mutex_);
  while (ended_.empty()) ended_changed_.Wait(mutex_);
  TransferDone done = std::move(ended_.front());
  ended_.pop_front();
  --in_flight_;
  return done;
}

void TransferLoop::Cancel() {
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
  }
  multi_.Wake();
}

void TransferLoop::Run() {
  while (TakeSubmitted()) {
    BeginDue();
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    ReapEnded();
    EndStalled();
    curl_multi_poll(multi_.get(), nullptr, 0, PollMilliseconds(), nullptr);
  }
  for (auto& [handle, transfer] : running_) curl_multi_remove_handle(multi_.get(), handle);
  running_.clear();
}

// False: it is over.
bool TransferLoop::TakeSubmitted() {
  std::deque<TransferPtr> submitted;
  bool cancelled = false;
  {
    MutexLock lock(mutex_);
    if (stopped_) return false;
    submitted.swap(submitted_);
    cancelled = cancelled_;
  }
  for (TransferPtr& transfer : submitted) due_.emplace(TimePoint::min(), std::move(transfer));
  if (cancelled) GiveUpAll();
  return true;
}

void TransferLoop::GiveUpAll() {
  const Status cancelled(StatusCode::kCancelled, options_.what + " was given up");
  for (auto& [handle, transfer] : running_) {
    curl_multi_remove_handle(multi_.get(), handle);
    Tell(std::move(transfer), cancelled);
  }
  running_.clear();
  for (auto& [when, transfer] : due_) Tell(std::move(transfer), cancelled);
  due_.clear();
}

void TransferLoop::BeginDue() {
  while (!due_.empty() && due_.begin()->first <= clock_.Now()) {
    TransferPtr transfer = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    Begin(std::move(transfer));
  }
}

void TransferLoop::Begin(TransferPtr transfer) {
  const Result<CURL*> handle = transfer->Begin(options_.patience, pace_, clock_.Now());
  if (!handle.ok()) return Tell(std::move(transfer), handle.status());
  curl_multi_add_handle(multi_.get(), *handle);
  running_[*handle] = std::move(transfer);
}

void TransferLoop::ReapEnded() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    CURL* const handle = message->easy_handle;
    curl_multi_remove_handle(multi_.get(), handle);
    const auto found = running_.find(handle);
    TransferPtr transfer = std::move(found->second);
    running_.erase(found);
    const TransferEnding ending = transfer->End(code);
    Ended(std::move(transfer), ending);
  }
}

void TransferLoop::EndStalled() {
  const TimePoint now = clock_.Now();
  for (auto next = running_.begin(); next != running_.end();) {
    const auto at = next++;
    if (at->second->StallsAt(now) > now) continue;
    curl_multi_remove_handle(multi_.get(), at->first);
    TransferPtr transfer = std::move(at->second);
    running_.erase(at);
    const TransferEnding ending = transfer->EndStalled();
    Ended(std::move(transfer), ending);
  }
}

void TransferLoop::Ended(TransferPtr transfer, const TransferEnding& ending) {
  if (!ending.passing || transfer->attempts() >= options_.patience.attempts) {
    return Tell(std::move(transfer), ending.status);
  }
  const double random = std::uniform_real_distribution<double>(0, 1)(random_);
  const Duration pause =
      PauseBefore(transfer->attempts() + 1, options_.patience, ending.retry_after, random);
  due_.emplace(clock_.Now() + pause, std::move(transfer));
}

void TransferLoop::Tell(TransferPtr transfer, const Status& status) {
  MutexLock lock(mutex_);
  ended_.push_back({std::move(transfer), status});
  ended_changed_.NotifyAll();
}

// When something is to be done though nothing comes.
TimePoint TransferLoop::NextAt() {
  const TimePoint now = clock_.Now();
  TimePoint next = now + std::chrono::milliseconds(kIdleMilliseconds);
  if (!due_.empty()) next = std::min(next, due_.begin()->first);
  for (auto& [handle, transfer] : running_) next = std::min(next, transfer->StallsAt(now));
  return next;
}

int TransferLoop::PollMilliseconds() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(NextAt() - clock_.Now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, kIdleMilliseconds));
}

}  // namespace trims
