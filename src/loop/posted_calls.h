// PostedCalls: what other threads want run on the event loop, in their order.
//
//   posted->Add([] { … });          // from any thread; fd() becomes readable
//   posted->RunAll();               // on the loop, once fd() is readable
//
// Ownership: calls that have not run when it goes are destroyed without running. Thread-safety:
// Add() and Wake() from any thread, the rest on the loop.
#ifndef TRIMS_LOOP_POSTED_CALLS_H_
#define TRIMS_LOOP_POSTED_CALLS_H_

#include <functional>
#include <memory>
#include <vector>

#include "trims/status.h"

#include "base/mutex.h"
#include "base/unique_fd.h"

namespace trims {

class PostedCalls {
 public:
  static Result<std::unique_ptr<PostedCalls>> Create();
  ~PostedCalls();
  PostedCalls(const PostedCalls&) = delete;
  PostedCalls& operator=(const PostedCalls&) = delete;

  void Add(std::function<void()> call);
  // Makes fd() readable, whether or not there is a call.
  void Wake();
  // Those that are there now. What they add is run the next time.
  void RunAll();

  int fd() const { return event_.get(); }

 private:
  using Calls = std::vector<std::function<void()>>;

  explicit PostedCalls(UniqueFd event) : event_(std::move(event)) {}
  Calls TakeAll();

  const UniqueFd event_;
  Mutex mutex_;
  Calls calls_ TRIMS_GUARDED_BY(mutex_);
};

}  // namespace trims

#endif  // TRIMS_LOOP_POSTED_CALLS_H_
