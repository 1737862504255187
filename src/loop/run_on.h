// RunOn: work on a Worker that gives a value back, instead of writing to what both sides hold.
//
//   RunOn(worker, [path] { return Measure(path); },
//         [this](Result<uint64_t> bytes) { … });            // on the loop
//
// Both calls may hold what can only be moved. Each is made at most once; what `done` holds is never
// let go of on the worker's thread once `done` has begun. Thread-safety: as Worker::Run.
#ifndef TRIMS_LOOP_RUN_ON_H_
#define TRIMS_LOOP_RUN_ON_H_

#include <memory>
#include <optional>
#include <utility>

#include "loop/worker.h"

namespace trims {

template <typename Work, typename Done>
void RunOn(Worker* worker, Work work, Done done) {
  using Outcome = decltype(work());
  struct Call {
    Work work;
    Done done;
    std::optional<Outcome> outcome;
  };
  auto call = std::make_shared<Call>(Call{std::move(work), std::move(done), std::nullopt});
  worker->Run([call] { call->outcome.emplace(call->work()); },
              [call] {
                Done done = std::move(call->done);
                done(*std::move(call->outcome));
              });
}

}  // namespace trims

#endif  // TRIMS_LOOP_RUN_ON_H_
