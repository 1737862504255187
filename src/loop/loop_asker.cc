#include "loop/loop_asker.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "base/mutex.h"

namespace trims {
namespace {

Status OnItsOwnThread() {
  return Status(StatusCode::kFailedPrecondition,
                "the event loop was asked on its own thread, where it would wait for itself");
}

Status NotRunning() {
  return Status(StatusCode::kUnavailable, "the event loop has stopped", "start the daemon again");
}

Status TooLate(Duration deadline) {
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(deadline);
  return Status(StatusCode::kDeadlineExceeded,
                "the event loop had no time within " + std::to_string(waited.count()) + " ms",
                "ask again");
}

// A call on its way to the loop: it is run or given up, whichever comes first.
class Question {
 public:
  explicit Question(std::function<void()> call) : call_(std::move(call)) {}

  // On the loop. The asker waits for as long as this takes.
  void Run() {
    if (!Step(Stage::kAsked, Stage::kRunning)) return;
    call_();
    Step(Stage::kRunning, Stage::kAnswered);
  }

  // False if it has begun.
  bool GiveUp() { return Step(Stage::kAsked, Stage::kGivenUp); }

  bool IsSettledBy(TimePoint deadline) {
    MutexLock lock(mutex_);
    while (!Settled()) {
      if (!changed_.WaitUntil(mutex_, deadline)) return Settled();
    }
    return true;
  }

  // Whether it was answered, once it is answered or given up.
  bool WaitForAnswer() {
    MutexLock lock(mutex_);
    while (!Settled()) changed_.Wait(mutex_);
    return stage_ == Stage::kAnswered;
  }

 private:
  enum class Stage { kAsked, kRunning, kAnswered, kGivenUp };

  bool Settled() const TRIMS_REQUIRES(mutex_) {
    return stage_ == Stage::kAnswered || stage_ == Stage::kGivenUp;
  }
  bool Step(Stage from, Stage to) {
    MutexLock lock(mutex_);
    if (stage_ != from) return false;
    stage_ = to;
    changed_.NotifyAll();
    return true;
  }

  const std::function<void()> call_;
  Mutex mutex_;
  CondVar changed_;
  Stage stage_ TRIMS_GUARDED_BY(mutex_) = Stage::kAsked;
};

}  // namespace

struct LoopAsker::State {
  Mutex mutex;
  PostToLoop post TRIMS_GUARDED_BY(mutex);
  bool ended TRIMS_GUARDED_BY(mutex) = false;
  std::thread::id thread TRIMS_GUARDED_BY(mutex);  // that runs the loop; none while it doesn't run
  std::set<std::shared_ptr<Question>> asked TRIMS_GUARDED_BY(mutex);

  Status Post(const std::shared_ptr<Question>& question) {
    MutexLock lock(mutex);
    if (thread == std::this_thread::get_id()) return OnItsOwnThread();
    if (ended) return NotRunning();
    asked.insert(question);
    post([question] { question->Run(); });
    return Status();
  }

  void Forget(const std::shared_ptr<Question>& question) {
    MutexLock lock(mutex);
    asked.erase(question);
  }
};

Status LoopAsker::AskVoid(std::function<void()> call, Duration deadline) const {
  const TimePoint until = std::chrono::steady_clock::now() + std::min(deadline, kLongestWait);
  const auto question = std::make_shared<Question>(std::move(call));
  if (Status status = state_->Post(question); !status.ok()) return status;
  const bool late = !question->IsSettledBy(until) && question->GiveUp();
  const bool answered = question->WaitForAnswer();
  state_->Forget(question);
  if (answered) return Status();
  return late ? TooLate(deadline) : NotRunning();
}

AskedLoop::AskedLoop(PostToLoop post) : state_(std::make_shared<LoopAsker::State>()) {
  MutexLock lock(state_->mutex);
  state_->post = std::move(post);
}

void AskedLoop::Begins() {
  MutexLock lock(state_->mutex);
  state_->thread = std::this_thread::get_id();
  state_->ended = false;
}

void AskedLoop::Ended() {
  MutexLock lock(state_->mutex);
  state_->thread = {};
  state_->ended = true;
  for (const std::shared_ptr<Question>& question : state_->asked) question->GiveUp();
}

}  // namespace trims
