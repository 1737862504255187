// PostToLoop: how another thread has something run on the event loop. EventLoop::poster() is one.
#ifndef TRIMS_LOOP_POST_TO_LOOP_H_
#define TRIMS_LOOP_POST_TO_LOOP_H_

#include <functional>

namespace trims {

// Runs `call` on the event loop, in the order of the calls; callable from any thread.
using PostToLoop = std::function<void(std::function<void()> call)>;

}  // namespace trims

#endif  // TRIMS_LOOP_POST_TO_LOOP_H_
