// ManualWorker: a worker on which work and completions wait until they are asked for.
#ifndef TRIMS_TESTS_SUPPORT_MANUAL_WORKER_H_
#define TRIMS_TESTS_SUPPORT_MANUAL_WORKER_H_

#include <deque>
#include <functional>
#include <utility>

#include "loop/worker.h"

namespace trims::test {

class ManualWorker final : public Worker {
 public:
  void Run(std::function<void()> work, std::function<void()> done) override {
    work_.push_back(std::move(work));
    done_.push_back(std::move(done));
  }
  void Work() {  // all there is, without completions
    for (; !work_.empty(); work_.pop_front()) work_.front()();
  }
  void Finish() {  // the completions too, and what they have done
    while (!done_.empty()) {
      Work();
      const std::function<void()> next = std::move(done_.front());
      done_.pop_front();
      next();
    }
  }

 private:
  std::deque<std::function<void()>> work_;
  std::deque<std::function<void()>> done_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_MANUAL_WORKER_H_
