// ProgressToLoop: the progress of work on another thread, told on the loop. What comes faster than the loop
// takes it is left out.
//
//   calls.progress = ProgressToLoop(post, alive_.Only(std::move(progress)));
//
// Thread-safety: what it gives may be called from any thread.
#ifndef TRIMS_INGEST_PROGRESS_TO_LOOP_H_
#define TRIMS_INGEST_PROGRESS_TO_LOOP_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "loop/post_to_loop.h"

namespace trims {

using StageProgress = std::function<void(std::string_view stage, uint64_t done, uint64_t total)>;

inline StageProgress ProgressToLoop(PostToLoop post, StageProgress told) {
  const auto waiting = std::make_shared<std::atomic<bool>>(false);
  return [post = std::move(post), told = std::move(told), waiting](std::string_view stage,
                                                                   uint64_t done, uint64_t total) {
    if (waiting->exchange(true)) return;
    post([told, waiting, stage = std::string(stage), done, total] {
      waiting->store(false);
      told(stage, done, total);
    });
  };
}

}  // namespace trims

#endif  // TRIMS_INGEST_PROGRESS_TO_LOOP_H_
