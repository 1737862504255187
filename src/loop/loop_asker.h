// LoopAsker: how another thread asks the event loop something and waits for what it says.
//
//     const LoopAsker asker = loop->asker();  // on any thread, while there is a loop
//     Result<size_t> models = asker.Ask([&] { return catalog.size(); }, std::chrono::seconds(1));
//
// A call that was asked for has run to its end, and once, if the answer is its own; otherwise it has
// not run and never will. So it may refer to what lives on the asking thread's stack.
//
// Copies share their loop and may outlive it. Thread-safety: any thread but the loop's.
#ifndef TRIMS_LOOP_LOOP_ASKER_H_
#define TRIMS_LOOP_LOOP_ASKER_H_

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "trims/status.h"

#include "base/clock.h"
#include "loop/post_to_loop.h"

namespace trims {

// What an Ask() of a call that returns T returns: a Status for nothing or a Status, else a Result.
template <typename T>
struct AnswerOf {
  using Type = Result<T>;
};
template <typename T>
struct AnswerOf<Result<T>> {
  using Type = Result<T>;
};
template <>
struct AnswerOf<Status> {
  using Type = Status;
};
template <>
struct AnswerOf<void> {
  using Type = Status;
};

class LoopAsker {
 public:
  // Runs `call` on the loop, in turn with what was posted, and returns its answer. Waits for
  // `deadline` at most, and then for a call that has begun. UNAVAILABLE: the loop was stopped or is
  // gone; DEADLINE_EXCEEDED: it had no time, or does not run yet; FAILED_PRECONDITION: this is the
  // loop's own thread, which would wait for itself.
  template <typename Call>
  auto Ask(Call call, Duration deadline) const {
    using Value = std::invoke_result_t<Call&>;
    using Answer = typename AnswerOf<Value>::Type;
    if constexpr (std::is_void_v<Value>) {
      return AskVoid([&call] { call(); }, deadline);
    } else {
      std::optional<Answer> answer;
      Status asked = AskVoid([&] { answer.emplace(call()); }, deadline);
      return asked.ok() ? *std::move(answer) : Answer(std::move(asked));
    }
  }

 private:
  friend class AskedLoop;
  struct State;
  explicit LoopAsker(std::shared_ptr<State> state) : state_(std::move(state)) {}

  Status AskVoid(std::function<void()> call, Duration deadline) const;

  std::shared_ptr<State> state_;
};

// The loop's end of its askers.
class AskedLoop {
 public:
  explicit AskedLoop(PostToLoop post);
  ~AskedLoop() { Ended(); }
  AskedLoop(const AskedLoop&) = delete;
  AskedLoop& operator=(const AskedLoop&) = delete;

  LoopAsker asker() const { return LoopAsker(state_); }

  // Around the time in which this thread runs the loop. What was asked before waits for it; what has
  // not begun when it ends, and whatever is asked from then on, is UNAVAILABLE.
  void Begins();
  void Ended();

 private:
  std::shared_ptr<LoopAsker::State> state_;
};

}  // namespace trims

#endif  // TRIMS_LOOP_LOOP_ASKER_H_
